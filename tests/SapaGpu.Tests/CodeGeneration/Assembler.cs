using NUnit.Framework;
using SapaGpu.DeviceBenchmarks.Code;

namespace SapaGpu.Tests.CodeGeneration;

/// <summary>Skips tests where NVIDIA's assembler is missing.</summary>
internal static class Assembler
{
    /// <summary>Skips the running test where there is no assembler.</summary>
    public static void Require()
    {
        if (!NvidiaAssembler.CanAssemble)
            Assert.Ignore("There is no ptxas on the path; it comes with the CUDA toolkit.");
    }

    /// <summary>Skips the running test where there is no assembler or no disassembler.</summary>
    public static void RequireDisassembler()
    {
        Require();
        if (!NvidiaAssembler.CanDisassemble)
            Assert.Ignore("There is no nvdisasm on the path; it comes with the CUDA toolkit.");
    }
}
