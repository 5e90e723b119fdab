using System.Reflection;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace SapaGpu.Devices;

/// <summary>Finds and opens ILGPU's accelerators, one backend at a time.</summary>
internal static class AcceleratorFactory
{
    /// <summary>The devices of a backend, or why there is none.</summary>
    public static (IReadOnlyList<DeviceInfo> Devices, string? Reason) Enumerate(DeviceKind kind)
    {
        if (kind == DeviceKind.Cpu)
            return ([DescribeCpu()], null);
        try
        {
            using var context = CreateContext(kind, new DeviceOptions { Threads = Environment.ProcessorCount });
            var devices = Devices(context, kind);
            var infos = new List<DeviceInfo>(devices.Count);
            for (int ordinal = 0; ordinal < devices.Count; ordinal++)
                infos.Add(Describe(devices[ordinal], kind, ordinal));
            return (infos, infos.Count > 0 ? null : MissingReason(kind));
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return ([], $"{MissingReason(kind)} ({e.Message})");
        }
    }

    /// <summary>Opens a device.</summary>
    /// <exception cref="DeviceUnavailableException">There is no such device, or its driver refuses.</exception>
    public static (Context Context, Accelerator Accelerator, DeviceInfo Info) Open(
        DeviceKind kind, int ordinal, DeviceOptions options)
    {
        Context? context = null;
        try
        {
            context = CreateContext(kind, options);
            var devices = Devices(context, kind);
            if (ordinal < 0 || ordinal >= devices.Count)
            {
                throw new DeviceUnavailableException(
                    devices.Count == 0
                        ? MissingReason(kind)
                        : $"There is no {DeviceNames.Of(kind)}:{ordinal}; the last one is {devices.Count - 1}.");
            }
            var info = kind == DeviceKind.Cpu ? DescribeCpu() : Describe(devices[ordinal], kind, ordinal);
            return (context, CreateAccelerator(context, devices[ordinal], options), info);
        }
        catch (Exception e)
        {
            context?.Dispose();
            if (e is DeviceUnavailableException or OutOfMemoryException)
                throw;
            throw new DeviceUnavailableException($"{MissingReason(kind)} ({e.Message})", e);
        }
    }

    /// <summary>Closes a device.</summary>
    /// <param name="context">ILGPU's context.</param>
    /// <param name="accelerator">The device.</param>
    /// <param name="quietly">Whether what the driver answers is of no interest.</param>
    public static void Close(Context context, Accelerator accelerator, bool quietly)
    {
        if (quietly)
            AcceleratorMembers.DisposeQuietly(accelerator);
        else
            accelerator.Dispose();
        context.Dispose();
    }

    /// <summary>Opens ILGPU's emulation of a GPU, on which the thread-group programs run in .NET itself.</summary>
    public static (Context Context, Accelerator Accelerator, DeviceInfo Info) OpenEmulator(DeviceOptions options)
    {
        const int Threads = 128;
        var context = Context.Create(builder => Configure(builder, options).CPU(new CPUDevice(32, Threads / 32, 1)));
        var accelerator = context.GetCPUDevice(0).CreateCPUAccelerator(context);
        return (context, accelerator, DescribeCpu() with { Name = "ILGPU emulator" });
    }

    // O2 infers address spaces, without which views in a parameter block become generic pointers: slow on NVIDIA,
    // refused by OpenCL drivers that do not have them.
    private static Context.Builder Configure(Context.Builder builder, DeviceOptions options)
    {
        builder.Optimize(OptimizationLevel.O2);
        return options.MeasuresTime ? builder.Profiling() : builder;
    }

    private static Context CreateContext(DeviceKind kind, DeviceOptions options)
    {
        NativeLibraries.EnsureRegistered();
        return Context.Create(builder =>
        {
            Configure(builder, options);
            switch (kind)
            {
                case DeviceKind.Cuda:
                    builder.Cuda();
                    break;
                case DeviceKind.OpenCL:
                    builder.OpenCL(Accept);
                    break;
                default:
                    // A warp of two is the smallest that ILGPU takes; groups have one thread, so every
                    // multiprocessor is one worker.
                    builder.CPU(new CPUDevice(2, 1, options.Threads));
                    break;
            }
        });
    }

    private static Accelerator CreateAccelerator(Context context, ILGPU.Runtime.Device device, DeviceOptions options)
    {
        if (device is not CudaDevice cuda)
            return device.CreateAccelerator(context);
        using var scope = CudaScope.Keep();
        return options.UsesPrimaryContext
            ? PrimaryContext.Open(context, cuda, options.Stream)
            : cuda.CreateAccelerator(context);
    }

    private static IReadOnlyList<ILGPU.Runtime.Device> Devices(Context context, DeviceKind kind) => kind switch
    {
        DeviceKind.Cuda => [.. context.GetCudaDevices()],
        DeviceKind.OpenCL => [.. context.GetCLDevices()],
        _ => [.. context.GetCPUDevices()],
    };

    // The kernels use no generic pointers, so drivers that do not announce that feature are as good as the others.
    private static bool Accept(CLDevice device)
    {
        if (!device.Capabilities.GenericAddressSpace)
        {
            typeof(CLCapabilityContext)
                .GetProperty(nameof(CLCapabilityContext.GenericAddressSpace))?
                .GetSetMethod(nonPublic: true)?
                .Invoke(device.Capabilities, BindingFlags.Default, null, [true], null);
        }
        return device.Capabilities.GenericAddressSpace;
    }

    private static DeviceInfo DescribeCpu() => new(
        DeviceKind.Cpu,
        0,
        ProcessorName(),
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        IsGpu: false,
        SupportsFloat64: true,
        $"{Environment.ProcessorCount} threads, {VectorWidth.Preferred}-bit vectors");

    private static DeviceInfo Describe(ILGPU.Runtime.Device device, DeviceKind kind, int ordinal) => device switch
    {
        CudaDevice cuda => new(
            kind,
            ordinal,
            cuda.Name,
            cuda.MemorySize,
            IsGpu: !IsSimulated(cuda),
            SupportsFloat64: true,
            $"{(IsSimulated(cuda) ? "simulated, " : string.Empty)}compute capability {cuda.Architecture}, driver {cuda.DriverVersion}, {cuda.NumMultiprocessors} multiprocessors"),
        CLDevice opencl => new(
            kind,
            ordinal,
            opencl.Name,
            opencl.MemorySize,
            IsGpu: opencl.DeviceType.HasFlag(CLDeviceType.CL_DEVICE_TYPE_GPU),
            opencl.Capabilities.Float64,
            $"{opencl.PlatformName}, OpenCL C {opencl.CVersion}, {opencl.NumMultiprocessors} compute units"),
        _ => throw new ArgumentException($"{device.Name} is not a {DeviceNames.Of(kind)} device.", nameof(device)),
    };

    // A driver without a GPU behind it, for tests: it says so in the name of its device.
    private static bool IsSimulated(CudaDevice device) =>
        device.Name.Contains("simulator", StringComparison.OrdinalIgnoreCase);

    private static string MissingReason(DeviceKind kind) => kind switch
    {
        DeviceKind.Cuda => "No CUDA device: this needs an NVIDIA GPU and its driver (libcuda.so.1, nvcuda.dll).",
        DeviceKind.OpenCL => "No OpenCL device: this needs an OpenCL driver and loader (libOpenCL.so.1, opencl.dll); " +
            "on a processor, PoCL is one.",
        _ => "No CPU device.",
    };

    private static string ProcessorName()
    {
        const string Source = "/proc/cpuinfo";
        string? line = File.Exists(Source)
            ? File.ReadLines(Source).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))
            : null;
        string name = line is null ? string.Empty : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
        return name.Length > 0
            ? name
            : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER")
                ?? System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString();
    }
}
