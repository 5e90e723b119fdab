using System.Runtime.ExceptionServices;

namespace SapaGpu.Segmentation;

/// <summary>Loops over independent items.</summary>
internal static class Each
{
    /// <summary>Does something for every index on all processors; the first error is thrown as it is.</summary>
    public static void InParallel(int count, Action<int> action)
    {
        try
        {
            Parallel.For(0, count, action);
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }
}
