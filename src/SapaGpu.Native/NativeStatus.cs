namespace SapaGpu.Native;

/// <summary>What a function returns; the values are those of the C header.</summary>
internal enum NativeStatus
{
    Ok = 0,
    InvalidArgument = 1,
    NotSupported = 2,
    DeviceUnavailable = 3,
    OutOfMemory = 4,
    InvalidHandle = 5,
    Closed = 6,
    FileError = 7,
    InternalError = 10,
}
