// A step of training lowers the loss.
using SapaGpu.Shared;
using SapaGpu.TorchSharp;
using static TorchSharp.torch;

TorchLibrary.AllowOlderRuntime();
random.manual_seed(1);
using var up = new SapaUpsample(encoderChannels: 8, decoderChannels: 16);
var (encoder, decoder, target) = (randn(1, 8, 12, 12), randn(1, 16, 6, 6), randn(1, 16, 12, 12));
using var optimiser = optim.AdamW(up.parameters(), 1e-2);
float first = Step(), second = Step();
Console.WriteLine($"loss {first:f4}, then {second:f4}");
return second < first ? 0 : 1;

float Step()
{
    using var scope = NewDisposeScope();
    optimiser.zero_grad();
    var loss = nn.functional.mse_loss(up.call(encoder, decoder), target);
    loss.backward();
    optimiser.step();
    return loss.item<float>();
}
