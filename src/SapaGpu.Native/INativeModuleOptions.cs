namespace SapaGpu.Native;

/// <summary>The options of a module as a struct of the caller.</summary>
/// <typeparam name="TSelf">The struct.</typeparam>
internal unsafe interface INativeModuleOptions<TSelf>
    where TSelf : unmanaged, INativeModuleOptions<TSelf>
{
    /// <summary>Reads the element type of the features and the options record of the module.</summary>
    /// <exception cref="ArgumentException">The struct is null, has the wrong size or a member that is no value.</exception>
    static abstract (int ElementType, object Module) Read(TSelf* options);
}
