namespace SapaGpu.Cli.Guided;

/// <summary>Where the photo lies in a map that was padded to other proportions.</summary>
internal enum Letterbox
{
    /// <summary>The photo begins at the upper left corner, and the padding is below it or on the right.</summary>
    TopLeft,

    /// <summary>The photo is in the middle, with padding on two sides.</summary>
    Center,
}
