namespace SapaGpu.Maps;

/// <summary>An operation on an element type that is known only at run time.</summary>
internal interface IElementVisitor<out TResult>
{
    TResult Visit<T>()
        where T : unmanaged;
}
