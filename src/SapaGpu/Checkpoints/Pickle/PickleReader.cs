using System.Numerics;

namespace SapaGpu.Checkpoints;

/// <summary>
/// Reads the values of a pickle, protocols 2 to 5, without executing anything: globals and calls are looked up in
/// <see cref="IPickleObjects"/>, and objects become <see cref="OpaqueValue"/>. None is null, numbers are long,
/// BigInteger or double, a tuple is an array, a list a List, a dictionary a <see cref="PickleDict"/>.
/// </summary>
/// <remarks>Python's pickletools describes the instructions.</remarks>
internal sealed class PickleReader
{
    // A state_dict takes about fifty for each tensor, the log of a training run one or two for each number.
    private const int MaximumInstructions = 1 << 22;
    private const int MaximumDepth = 100;
    private const int MaximumNumberLength = 255;
    private const byte MaximumProtocol = 5;

    private readonly PickleInput input;
    private readonly IPickleObjects objects;
    private readonly PickleStack stack = new();
    private readonly Dictionary<long, object?> memo = [];

    private PickleReader(PickleInput input, IPickleObjects objects)
    {
        this.input = input;
        this.objects = objects;
    }

    /// <summary>Reads one pickle; what follows it is left.</summary>
    /// <exception cref="InvalidDataException">The pickle is damaged, or refers to what is not allowed.</exception>
    public static object? Read(PickleInput input, IPickleObjects objects)
    {
        var reader = new PickleReader(input, objects);
        for (int count = 0; count < MaximumInstructions; count++)
        {
            var opcode = (PickleOpcode)input.ReadByte();
            if (opcode == PickleOpcode.Stop)
            {
                object? result = reader.stack.Result();
                CheckDepth(result, 0, new HashSet<object>(ReferenceEqualityComparer.Instance));
                return result;
            }
            bool known = reader.PushConstant(opcode) || reader.PushText(opcode) || reader.Remember(opcode)
                || reader.Build(opcode) || reader.Instantiate(opcode);
            if (!known)
            {
                throw new InvalidDataException(
                    $"the pickle has the instruction 0x{(byte)opcode:x2}, which is not read; save " +
                    "model.state_dict() with pickle protocol 2");
            }
        }
        throw new InvalidDataException($"the pickle has more than {MaximumInstructions:N0} instructions");
    }

    // Also finds values that contain themselves.
    private static void CheckDepth(object? value, int depth, HashSet<object> seen)
    {
        if (value is not (PickleDict or List<object?> or object?[]) || seen.Contains(value))
            return;
        if (depth == MaximumDepth)
        {
            throw new InvalidDataException(
                $"the pickle has values nested more than {MaximumDepth} levels deep, or within themselves");
        }
        foreach (object? child in Children(value))
            CheckDepth(child, depth + 1, seen);
        seen.Add(value);
    }

    private static IEnumerable<object?> Children(object? value) => value switch
    {
        PickleDict dict => dict.Texts.Select(item => item.Value)
            .Concat(dict.Others.SelectMany(item => new[] { item.Key, item.Value })),
        IEnumerable<object?> values => values,
        _ => [],
    };

    private bool PushConstant(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.None:
                stack.Push(null);
                return true;
            case PickleOpcode.NewTrue:
                stack.Push(true);
                return true;
            case PickleOpcode.NewFalse:
                stack.Push(false);
                return true;
            case PickleOpcode.BinInt:
                stack.Push((long)(int)input.ReadUInt32());
                return true;
            case PickleOpcode.BinInt1:
                stack.Push((long)input.ReadByte());
                return true;
            case PickleOpcode.BinInt2:
                stack.Push((long)input.ReadUInt16());
                return true;
            case PickleOpcode.Long1:
                PushWhole(input.ReadByte());
                return true;
            case PickleOpcode.Long4:
                PushWhole(input.ReadUInt32());
                return true;
            case PickleOpcode.BinFloat:
                stack.Push(input.ReadDouble());
                return true;
            case PickleOpcode.EmptyTuple:
                stack.Push(Array.Empty<object?>());
                return true;
            case PickleOpcode.EmptyList:
                stack.Push(new List<object?>());
                return true;
            case PickleOpcode.EmptyDict:
                stack.Push(new PickleDict());
                return true;
            default:
                return false;
        }
    }

    private bool PushText(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.ShortBinString:
                stack.Push(input.ReadTextOrBytes(input.ReadByte()));
                return true;
            case PickleOpcode.BinString:
                stack.Push(input.ReadTextOrBytes(input.ReadUInt32()));
                return true;
            case PickleOpcode.ShortBinUnicode:
                stack.Push(input.ReadText(input.ReadByte()));
                return true;
            case PickleOpcode.BinUnicode:
                stack.Push(input.ReadText(input.ReadUInt32()));
                return true;
            case PickleOpcode.BinUnicode8:
                stack.Push(input.ReadText(input.ReadUInt64()));
                return true;
            case PickleOpcode.ShortBinBytes:
                stack.Push(input.Read(input.ReadByte()).ToArray());
                return true;
            case PickleOpcode.BinBytes:
                stack.Push(input.Read(input.ReadUInt32()).ToArray());
                return true;
            case PickleOpcode.BinBytes8 or PickleOpcode.ByteArray8:
                stack.Push(input.Read(input.ReadUInt64()).ToArray());
                return true;
            default:
                return false;
        }
    }

    private bool Remember(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.BinPut:
                memo[input.ReadByte()] = stack.Peek<object>();
                return true;
            case PickleOpcode.LongBinPut:
                memo[input.ReadUInt32()] = stack.Peek<object>();
                return true;
            case PickleOpcode.Memoize:
                memo[memo.Count] = stack.Peek<object>();
                return true;
            case PickleOpcode.BinGet:
                stack.Push(Recall(input.ReadByte()));
                return true;
            case PickleOpcode.LongBinGet:
                stack.Push(Recall(input.ReadUInt32()));
                return true;
            default:
                return false;
        }
    }

    private bool Build(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.Protocol:
                CheckProtocol(input.ReadByte());
                return true;
            case PickleOpcode.Frame:
                input.ReadUInt64();
                return true;
            case PickleOpcode.Mark:
                stack.Mark();
                return true;
            case PickleOpcode.Tuple:
                stack.Push(stack.PopMarked());
                return true;
            case PickleOpcode.Tuple1 or PickleOpcode.Tuple2 or PickleOpcode.Tuple3:
                stack.Push(stack.Pop(opcode - PickleOpcode.Tuple1 + 1));
                return true;
            case PickleOpcode.Append:
                Append(stack.Pop(1));
                return true;
            case PickleOpcode.Appends:
                Append(stack.PopMarked());
                return true;
            case PickleOpcode.SetItem:
                SetItems(stack.Pop(2));
                return true;
            case PickleOpcode.SetItems:
                SetItems(stack.PopMarked());
                return true;
            case PickleOpcode.Global:
                stack.Push(objects.FindGlobal(input.ReadLine(), input.ReadLine()));
                return true;
            case PickleOpcode.StackGlobal:
                string name = stack.Pop<string>();
                stack.Push(objects.FindGlobal(stack.Pop<string>(), name));
                return true;
            case PickleOpcode.Reduce:
                var arguments = stack.Pop<object?[]>();
                stack.Push(objects.Call(stack.Pop(), arguments));
                return true;
            case PickleOpcode.Build:
                // An ordered dictionary may carry attributes, such as the _metadata of a state_dict.
                stack.Pop();
                if (stack.Peek() is not OpaqueValue)
                    stack.Peek<PickleDict>();
                return true;
            case PickleOpcode.Pop:
                stack.Drop();
                return true;
            case PickleOpcode.PopMark:
                stack.PopMarked();
                return true;
            case PickleOpcode.BinPersistentId:
                stack.Push(objects.LoadPersistent(stack.Pop()));
                return true;
            default:
                return false;
        }
    }

    // Objects and sets: what they are made of is read and dropped.
    private bool Instantiate(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.NewObj:
                var arguments = stack.Pop<object?[]>();
                stack.Push(objects.Call(stack.Pop(), arguments));
                return true;
            case PickleOpcode.NewObjEx:
                var parts = stack.Pop(3);
                stack.Push(OpaqueOf(parts[0]));
                return true;
            case PickleOpcode.Obj:
                var marked = stack.PopMarked();
                stack.Push(OpaqueOf(marked is [var type, ..] ? type : null));
                return true;
            case PickleOpcode.Inst:
                stack.PopMarked();
                stack.Push(new OpaqueValue(input.ReadLine(), input.ReadLine()));
                return true;
            case PickleOpcode.Ext1:
                stack.Push(Extension(input.ReadByte()));
                return true;
            case PickleOpcode.Ext2:
                stack.Push(Extension(input.ReadUInt16()));
                return true;
            case PickleOpcode.Ext4:
                stack.Push(Extension(input.ReadUInt32()));
                return true;
            case PickleOpcode.EmptySet:
                stack.Push(new OpaqueValue("builtins", "set"));
                return true;
            case PickleOpcode.AddItems:
                stack.PopMarked();
                stack.Peek<OpaqueValue>();
                return true;
            case PickleOpcode.FrozenSet:
                stack.PopMarked();
                stack.Push(new OpaqueValue("builtins", "frozenset"));
                return true;
            default:
                return false;
        }
    }

    private static OpaqueValue OpaqueOf(object? type) => type is OpaqueValue opaque
        ? new OpaqueValue(opaque.Module, opaque.Name)
        : throw new InvalidDataException($"the pickle makes an object of {PickleStack.Describe(type)}, which is no class");

    // Numbers of Python's copyreg stand for globals that the program registered which wrote the pickle.
    private static OpaqueValue Extension(uint code) => new("copyreg", $"extension {code}");

    private static void CheckProtocol(byte protocol)
    {
        if (protocol > MaximumProtocol)
            throw new InvalidDataException($"the pickle has protocol {protocol}; supported are 2 to {MaximumProtocol}");
    }

    private void Append(object?[] values)
    {
        if (stack.Peek() is not OpaqueValue)
            stack.Peek<List<object?>>().AddRange(values);
    }

    private void SetItems(object?[] items)
    {
        if (stack.Peek() is OpaqueValue)
            return;
        var dict = stack.Peek<PickleDict>();
        if (items.Length % 2 != 0)
            throw new InvalidDataException("the pickle has a key without a value");
        for (int i = 0; i < items.Length; i += 2)
            dict.Add(items[i], items[i + 1]);
    }

    private object? Recall(long index) => memo.TryGetValue(index, out object? value)
        ? value
        : throw new InvalidDataException($"the pickle reads memo entry {index}, which it never stored");

    private void PushWhole(uint length)
    {
        if (length > MaximumNumberLength)
            throw new InvalidDataException(
                $"the pickle has an integer of {length:N0} bytes, more than {MaximumNumberLength}");
        var number = new BigInteger(input.Read(length));
        if (number >= long.MinValue && number <= long.MaxValue)
            stack.Push((long)number);
        else
            stack.Push(number);
    }
}
