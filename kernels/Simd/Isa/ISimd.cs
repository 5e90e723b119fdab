namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Vector arithmetic of one width on one element type. The programs of this folder are written once against it; each
/// width and each storage type is one implementation.
/// </summary>
/// <typeparam name="TStorage">The type in maps.</typeparam>
/// <typeparam name="TReal">The type of the arithmetic and of scratch memory.</typeparam>
/// <typeparam name="TVector">A vector of <typeparamref name="TReal"/>.</typeparam>
internal unsafe interface ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged
    where TVector : struct
{
    /// <summary>Gets the lanes of a vector.</summary>
    static abstract int Lanes { get; }

    /// <summary>Widens one stored value.</summary>
    static abstract TReal Widen(TStorage value);

    /// <summary>Rounds one value to the storage type.</summary>
    static abstract TStorage Narrow(TReal value);

    /// <summary>Reads a vector from a map; no alignment is asked for.</summary>
    static abstract TVector LoadStorage(TStorage* source);

    /// <summary>Reads every second value of a map, from the first on; the one after the last is touched too.</summary>
    static abstract TVector LoadEven(TStorage* source);

    /// <summary>Reads the values between those of <see cref="LoadEven"/>.</summary>
    static abstract TVector LoadOdd(TStorage* source);

    /// <summary>Writes a vector to a map; no alignment is asked for.</summary>
    static abstract void StoreStorage(TStorage* destination, TVector value);

    /// <summary>
    /// Writes a vector to an aligned place in a map past the caches, for output that is far larger than they are: the
    /// memory is then not read before it is overwritten. <see cref="StreamingStores.Complete"/> has to follow.
    /// </summary>
    static abstract void StreamStorage(TStorage* destination, TVector value);

    /// <summary>Writes two vectors to a map, one behind the other; 16-bit formats are rounded faster so.</summary>
    static abstract void StoreStorage(TStorage* destination, TVector first, TVector second);

    /// <summary>
    /// <see cref="StoreStorage(TStorage*, TVector, TVector)"/> past the caches, to a place that is aligned to one
    /// vector.
    /// </summary>
    static abstract void StreamStorage(TStorage* destination, TVector first, TVector second);

    /// <summary>Writes the lanes of two vectors in turn.</summary>
    static abstract void StoreZipped(TStorage* destination, TVector even, TVector odd);

    /// <summary><see cref="StoreZipped"/> past the caches, to a place that is aligned to one vector.</summary>
    static abstract void StreamZipped(TStorage* destination, TVector even, TVector odd);

    /// <summary>Reads a vector from scratch memory; no alignment is asked for.</summary>
    static abstract TVector Load(TReal* source);

    /// <summary>Writes a vector to scratch memory; no alignment is asked for.</summary>
    static abstract void Store(TReal* destination, TVector value);

    /// <summary>Repeats a value in every lane.</summary>
    static abstract TVector Broadcast(TReal value);

    /// <summary>Returns a + b.</summary>
    static abstract TVector Add(TVector a, TVector b);

    /// <summary>Returns a − b.</summary>
    static abstract TVector Subtract(TVector a, TVector b);

    /// <summary>Returns a · b.</summary>
    static abstract TVector Multiply(TVector a, TVector b);

    /// <summary>Returns a / b.</summary>
    static abstract TVector Divide(TVector a, TVector b);

    /// <summary>Returns a·b + c, in one rounding where the machine has it.</summary>
    static abstract TVector MultiplyAdd(TVector a, TVector b, TVector c);

    /// <summary>The larger of two; either may be returned where one is NaN.</summary>
    static abstract TVector Max(TVector a, TVector b);

    /// <summary>The square root.</summary>
    static abstract TVector Sqrt(TVector value);

    /// <summary>Repeats a constant, rounded to the lane type.</summary>
    static abstract TVector Constant(double value);

    /// <summary>The largest whole number that is not larger.</summary>
    static abstract TVector Floor(TVector value);

    /// <summary>2 to the power of a whole number in the exponent range of normal numbers.</summary>
    static abstract TVector PowerOfTwo(TVector exponent);

    /// <summary>Replaces a value by 0 where the argument is below the limit; a NaN argument leaves the value.</summary>
    static abstract TVector ZeroWhereBelow(TVector argument, TVector limit, TVector value);

    /// <summary>The natural logarithm.</summary>
    static abstract TVector Log(TVector value);

    /// <summary>Whether low ≤ value &lt; high in every lane; false where one is NaN.</summary>
    static abstract bool AllWithin(TVector value, TVector low, TVector high);

    /// <summary>
    /// Writes the addresses origin + row·rowStep + column·columnStep, of whole numbers that fit 32 bits.
    /// </summary>
    static abstract void StoreAddresses(
        long* destination, TVector row, TVector column, long origin, long rowStep, long columnStep);

    /// <summary>The sum of the lanes.</summary>
    static abstract TReal Sum(TVector value);

    /// <summary>The sums of the lanes of four vectors, which together take less than one by one.</summary>
    static abstract void StoreSums(TReal* sums, TVector a, TVector b, TVector c, TVector d);

    /// <summary>
    /// Writes the transpose of a matrix: destination[c·destinationStride + r] = source[r·sourceStride + c].
    /// </summary>
    static abstract void Transpose(
        TStorage* source, nint sourceStride, TReal* destination, nint destinationStride, int rows, int columns);

    /// <summary>
    /// The inverse direction of <see cref="Transpose"/>: from scratch memory to a map; past the caches where that is
    /// asked for and possible. <see cref="StreamingStores.Complete"/> has to follow then.
    /// </summary>
    static abstract void TransposeBack(
        TReal* source,
        nint sourceStride,
        TStorage* destination,
        nint destinationStride,
        int rows,
        int columns,
        bool streams = false);

    /// <summary>Collects destination[i] = source[i·stride].</summary>
    static abstract void Gather(TStorage* source, nint stride, TReal* destination, int count);

    /// <summary>Spreads destination[i·stride] = source[i].</summary>
    static abstract void Scatter(TReal* source, TStorage* destination, nint stride, int count);

    /// <summary>
    /// Spreads two rows: destination[2i] = even[i], destination[2i + 1] = odd[i]; past the caches where that is asked
    /// for and the destination is aligned. <see cref="StreamingStores.Complete"/> has to follow then.
    /// </summary>
    static abstract void Interleave(TReal* even, TReal* odd, TStorage* destination, int count, bool streams = false);
}
