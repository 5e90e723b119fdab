namespace SapaGpu.Maps;

/// <summary>What is done with an element type that is known at run time only.</summary>
internal interface IElementVisitor<out TResult>
{
    TResult Visit<T>()
        where T : unmanaged;
}
