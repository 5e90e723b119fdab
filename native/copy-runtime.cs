// Copies the .NET that runs this program, cut to what the assemblies of a folder refer to:
//   dotnet run copy-runtime.cs -- out/lib/sapagpu out/lib/dotnet
#:property PublishAot=false
#:property RestorePackagesWithLockFile=false

using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.Json.Nodes;

if (args is not [var component, var target])
{
    Console.Error.WriteLine("Usage: dotnet run copy-runtime.cs -- <folder of the assemblies> <folder of the runtime>");
    return 2;
}

// <root>/shared/Microsoft.NETCore.App/<version>
string framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
string root = Path.GetFullPath("../../..", framework);
const string Description = "Microsoft.NETCore.App.deps.json";
string host = Newest(Path.Combine(root, "host", "fxr"));
var needed = Needed();

if (Directory.Exists(target))
    Directory.Delete(target, recursive: true);
foreach (string file in Directory.GetFiles(host))
    Copy(file);
foreach (string file in Directory.GetFiles(framework).Where(file => needed.Contains(NameOf(file))))
    Copy(file);
foreach (string licence in (string[])["LICENSE.txt", "ThirdPartyNotices.txt"])
{
    // Distributions may have them elsewhere.
    if (File.Exists(Path.Combine(root, licence)))
        Copy(Path.Combine(root, licence));
}
WriteDescription();
long size = Directory.GetFiles(target, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
long whole = Directory.GetFiles(framework).Sum(file => new FileInfo(file).Length);
Console.WriteLine(
    $"{target}: .NET {Path.GetFileName(framework)}, {size / 1e6:f1} MB of the {whole / 1e6:f1} MB in {framework}");
return 0;

// The names of the files of the framework that are needed, without their endings.
HashSet<string> Needed()
{
    // What the host and the runtime load by name; the rest is referred to. On Windows names have no "lib".
    const string CoreLibrary = "System.Private.CoreLib";
    HashSet<string> names =
    [
        CoreLibrary, "Microsoft.NETCore.App.runtimeconfig.json", "hostpolicy", "coreclr", "clrjit", "libhostpolicy", "libcoreclr",
        "libclrjit",
    ];
    var open = new Queue<string>([.. Directory.GetFiles(component, "*.dll"), Path.Combine(framework, $"{CoreLibrary}.dll")]);
    while (open.TryDequeue(out string? path))
    {
        using var file = new PEReader(File.OpenRead(path));
        var metadata = file.GetMetadataReader();
        // Native libraries that methods are imported from; those of the system have no file in the framework.
        for (int row = 1; row <= metadata.GetTableRowCount(TableIndex.ModuleRef); row++)
        {
            var module = metadata.GetModuleReference(MetadataTokens.ModuleReferenceHandle(row));
            names.Add(NameOf(metadata.GetString(module.Name)));
        }
        foreach (var handle in metadata.AssemblyReferences)
        {
            string name = metadata.GetString(metadata.GetAssemblyReference(handle).Name);
            string referred = Path.Combine(framework, $"{name}.dll");
            if (File.Exists(referred) && names.Add(name))
                open.Enqueue(referred);
        }
    }
    return names;
}

// The host does not start where a file is missing that the description of the framework has.
void WriteDescription()
{
    var json = JsonNode.Parse(File.ReadAllText(Path.Combine(framework, Description)))!;
    foreach (var (_, platform) in json["targets"]!.AsObject())
    {
        foreach (var (_, library) in platform!.AsObject())
        {
            foreach (var (_, files) in library!.AsObject())
            {
                foreach (string path in files!.AsObject().Select(file => file.Key).ToArray())
                {
                    if (!needed.Contains(NameOf(path)))
                        files.AsObject().Remove(path);
                }
            }
        }
    }
    File.WriteAllText(Path.Combine(target, Path.GetRelativePath(root, framework), Description), json.ToJsonString());
}

void Copy(string file)
{
    string copy = Path.Combine(target, Path.GetRelativePath(root, file));
    Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
    File.Copy(file, copy);
}

static string Newest(string folder) => Directory.GetDirectories(folder)
    .MaxBy(path => Version.TryParse(Path.GetFileName(path), out var version) ? version : new Version())
    ?? throw new DirectoryNotFoundException($"There is no host in {folder}.");

static string NameOf(string file)
{
    string name = Path.GetFileName(file);
    return Path.GetExtension(name) is ".dll" or ".so" or ".dylib" ? Path.GetFileNameWithoutExtension(name) : name;
}
