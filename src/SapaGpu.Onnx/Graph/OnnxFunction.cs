namespace SapaGpu.Onnx.Graph;

/// <summary>A function of the model: what an operator of another domain is in standard operators.</summary>
internal sealed record OnnxFunction(
    string Domain, string Name, string Description, IReadOnlyList<string> Inputs, string Output,
    IReadOnlyList<string> Attributes, OnnxNodes Body)
{
    public ProtobufMessage ToMessage()
    {
        var message = new ProtobufMessage().Text(1, Name);
        foreach (string input in Inputs)
            message.Text(4, input);
        message.Text(5, Output);
        foreach (string attribute in Attributes)
            message.Text(6, attribute);
        foreach (var node in Body.All)
            message.Message(7, node);
        return message.Text(8, Description).Message(9, OperatorSet.Standard).Text(10, Domain);
    }
}
