namespace SapaGpu.Cli.Guided;

/// <summary>Display names of the methods.</summary>
internal static class UpsampleMethodNames
{
    /// <summary>The name in tables and captions.</summary>
    public static string Title(this UpsampleMethod method) =>
        method == UpsampleMethod.Sapa ? "SAPA" : method.ToString();
}
