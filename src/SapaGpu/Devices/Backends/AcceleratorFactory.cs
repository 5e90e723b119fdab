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
            return ([HostBackend.Describe()], null);
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
    public static DeviceBackend Open(DeviceKind kind, int ordinal, DeviceOptions options)
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
                        : $"There is no device {DeviceNames.Of(kind)}:{ordinal}; there are 0 to {devices.Count - 1}.");
            }
            var accelerator = CreateAccelerator(context, devices[ordinal], options);
            return new AcceleratorBackend(
                context,
                accelerator,
                accelerator.DefaultStream,
                Describe(devices[ordinal], kind, ordinal),
                options.UsesPrimaryContext);
        }
        catch (Exception e)
        {
            context?.Dispose();
            if (e is DeviceUnavailableException or OutOfMemoryException)
                throw;
            throw new DeviceUnavailableException($"{MissingReason(kind)} ({e.Message})", e);
        }
    }

    /// <summary>Opens ILGPU's emulation of a GPU, on which the thread-group programs run in .NET itself.</summary>
    public static DeviceBackend OpenEmulator(DeviceOptions options)
    {
        const int Threads = 128;
        var context = Context.Create(builder => Configure(builder, options).CPU(new CPUDevice(32, Threads / 32, 1)));
        var accelerator = context.GetCPUDevice(0).CreateCPUAccelerator(context);
        return new AcceleratorBackend(
            context,
            accelerator,
            accelerator.DefaultStream,
            HostBackend.Describe() with { Name = "ILGPU emulator" },
            usesPrimaryContext: false);
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
            if (kind == DeviceKind.Cuda)
                builder.Cuda();
            else
                builder.OpenCL(Accept);
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

    private static IReadOnlyList<ILGPU.Runtime.Device> Devices(Context context, DeviceKind kind) =>
        kind == DeviceKind.Cuda ? [.. context.GetCudaDevices()] : [.. context.GetCLDevices()];

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
        DeviceKind.Cuda => "No usable CUDA device: CUDA needs an NVIDIA GPU and its driver (libcuda.so.1, nvcuda.dll).",
        DeviceKind.OpenCL => "No usable OpenCL device: OpenCL needs a driver and the loader (libOpenCL.so.1, " +
            "OpenCL.dll); for CPUs, PoCL is such a driver.",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
