using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace SapaGpu.Tests.Architecture;

/// <summary>The folder of a project that a type's file lies in, by the debug information of its assembly.</summary>
internal sealed class TypeFolders
{
    // The record of the documents of types without code, such as enumerations.
    private static readonly Guid TypeDefinitionDocuments = new("932E74BC-DBA9-4478-8D46-0F32A7BAB3D3");

    private readonly Dictionary<int, string> folders = [];
    private readonly Assembly assembly;
    private readonly string root;

    /// <summary>Reads the debug information of an assembly.</summary>
    /// <param name="assembly">The assembly, whose .pdb lies beside it.</param>
    /// <param name="root">The folder of the project, such as "/src/SapaGpu/".</param>
    public TypeFolders(Assembly assembly, string root)
    {
        this.assembly = assembly;
        this.root = root;
        using var stream = File.OpenRead(Path.ChangeExtension(assembly.Location, ".pdb"));
        using var provider = MetadataReaderProvider.FromPortablePdbStream(stream);
        var reader = provider.GetMetadataReader();
        foreach (var handle in reader.MethodDebugInformation)
        {
            var document = reader.GetMethodDebugInformation(handle).Document;
            if (!document.IsNil)
            {
                int token = MetadataTokens.GetToken(handle.ToDefinitionHandle());
                Add(assembly.ManifestModule.ResolveMethod(token)!.DeclaringType!, reader, document);
            }
        }
        foreach (var handle in reader.CustomDebugInformation)
        {
            var information = reader.GetCustomDebugInformation(handle);
            if (reader.GetGuid(information.Kind) != TypeDefinitionDocuments)
                continue;
            int row = reader.GetBlobReader(information.Value).ReadCompressedInteger();
            var type = assembly.ManifestModule.ResolveType(MetadataTokens.GetToken(information.Parent));
            Add(type, reader, MetadataTokens.DocumentHandle(row));
        }
    }

    /// <summary>The first folder below the project's; null for a type of another assembly or without a file.</summary>
    public string? Of(Type type) =>
        type.Assembly == assembly ? folders.GetValueOrDefault(Outermost(type).MetadataToken) : null;

    private static Type Outermost(Type type)
    {
        while (type.DeclaringType is { } outer)
            type = outer;
        return type;
    }

    private void Add(Type type, MetadataReader reader, DocumentHandle document)
    {
        string path = reader.GetString(reader.GetDocument(document).Name).Replace('\\', '/');
        int start = path.IndexOf(root, StringComparison.Ordinal);
        if (start < 0)
            return;
        string inside = path[(start + root.Length)..];
        int end = inside.IndexOf('/', StringComparison.Ordinal);
        if (!inside.StartsWith("obj/", StringComparison.Ordinal))
            folders[Outermost(type).MetadataToken] = end < 0 ? "." : inside[..end];
    }
}
