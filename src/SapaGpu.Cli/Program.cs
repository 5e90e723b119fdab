return SapaGpu.Cli.Tool.Run(args);
