namespace SapaGpu.Cli.Guided.Figures;

/// <summary>Eigenvalues and eigenvectors of a small symmetric matrix by Jacobi's rotations.</summary>
internal static class SymmetricEigen
{
    private const int MostSweeps = 50;

    /// <summary>Solves, the largest eigenvalue first.</summary>
    /// <param name="matrix">The matrix, which is overwritten.</param>
    public static (double[] Values, double[][] Vectors) Solve(double[,] matrix)
    {
        int size = matrix.GetLength(0);
        var vectors = Enumerable.Range(0, size).Select(i => Enumerable.Range(0, size).Select(j => i == j ? 1.0 : 0).ToArray()).ToArray();
        for (int sweep = 0; sweep < MostSweeps; sweep++)
        {
            bool isDiagonal = true;
            for (int p = 0; p < size; p++)
            {
                for (int q = p + 1; q < size; q++)
                    isDiagonal &= !Rotate(matrix, vectors, p, q);
            }
            if (isDiagonal)
                break;
        }
        int[] order = [.. Enumerable.Range(0, size).OrderByDescending(i => matrix[i, i])];
        return ([.. order.Select(i => matrix[i, i])], [.. order.Select(i => vectors[i])]);
    }

    /// <summary>Makes one pair of elements zero; false where they are so already, but for rounding.</summary>
    private static bool Rotate(double[,] matrix, double[][] vectors, int p, int q)
    {
        double off = matrix[p, q];
        if (Math.Abs(off) <= double.Epsilon || off * off <= 1e-32 * Math.Abs(matrix[p, p] * matrix[q, q]))
            return false;
        double theta = (matrix[q, q] - matrix[p, p]) / (2 * off);
        double tangent = Math.CopySign(1 / (Math.Abs(theta) + Math.Sqrt(theta * theta + 1)), theta);
        double cosine = 1 / Math.Sqrt(tangent * tangent + 1), sine = tangent * cosine;
        for (int i = 0; i < vectors.Length; i++)
        {
            (matrix[i, p], matrix[i, q]) = (
                cosine * matrix[i, p] - sine * matrix[i, q], sine * matrix[i, p] + cosine * matrix[i, q]);
        }
        for (int i = 0; i < vectors.Length; i++)
        {
            (matrix[p, i], matrix[q, i]) = (
                cosine * matrix[p, i] - sine * matrix[q, i], sine * matrix[p, i] + cosine * matrix[q, i]);
            (vectors[p][i], vectors[q][i]) = (
                cosine * vectors[p][i] - sine * vectors[q][i], sine * vectors[p][i] + cosine * vectors[q][i]);
        }
        return true;
    }
}
