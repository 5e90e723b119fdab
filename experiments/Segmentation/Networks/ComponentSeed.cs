using TorchSharp;

namespace SapaGpu.Segmentation;

/// <summary>
/// Gives every component of a network random numbers of its own, so that what one of them draws shifts nothing in the
/// others: networks that differ in the upsampler begin with the same weights everywhere else.
/// </summary>
internal static class ComponentSeed
{
    private const ulong HashBasis = 14695981039346656037;
    private const ulong HashPrime = 1099511628211;

    /// <summary>
    /// Builds a component with the generator set by the seed of the network and the component's name.
    /// </summary>
    public static T Build<T>(int seed, string component, Func<T> create)
    {
        torch.random.manual_seed(Derive(seed, component));
        return create();
    }

    /// <summary>A number for a seed and a name: FNV-1a, the same in every process.</summary>
    public static long Derive(int seed, string component)
    {
        ulong hash = HashBasis;
        foreach (char character in $"{seed}/{component}")
            hash = (hash ^ character) * HashPrime;
        return (long)(hash >> 1);
    }
}
