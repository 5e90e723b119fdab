// Training in TorchSharp: SAPA learns to bring a coarse map back to the resolution of a picture it came from.
//
//     dotnet run -c Release --project samples/TrainingInTorch
using SapaGpu.Shared;
using SapaGpu.TorchSharp;
using static TorchSharp.torch;

const int Steps = 60;
const int Size = 32;
const int Ratio = 4;

// Before anything of torch, where the C++ runtime is older than TorchSharp's, as on Debian 12.
TorchLibrary.AllowOlderRuntime();
random.manual_seed(1);

// Discs at random places: the picture is the guide, the mask is what is made small and has to come back.
using var up = new SapaUpsample(encoderChannels: 3, decoderChannels: 4);
using var lift = nn.Conv2d(1, 4, 1);
using var lower = nn.Conv2d(4, 1, 1);
using var optimiser = optim.AdamW([.. up.parameters(), .. lift.parameters(), .. lower.parameters()], 1e-2);
float first = 0, last = 0;
for (int step = 0; step < Steps; step++)
{
    using var scope = NewDisposeScope();
    var mask = Discs(4);
    var picture = cat([mask * 0.8, 0.5 - 0.3 * mask, ones_like(mask) * 0.4], 1);
    var coarse = nn.functional.avg_pool2d(mask, Ratio);
    var result = lower.call(up.call(picture, lift.call(coarse)));
    var loss = nn.functional.binary_cross_entropy_with_logits(result, mask);
    optimiser.zero_grad();
    loss.backward();
    optimiser.step();
    last = loss.item<float>();
    if (step == 0)
        first = last;
    if (step % 20 == 0 || step == Steps - 1)
        Console.WriteLine($"step {step}: loss {last:f4}");
}

// Every format of checkpoint goes both ways.
up.ToStateDict().Save("up.safetensors");
var report = up.LoadCheckpoint("up.safetensors");
Console.WriteLine($"up.safetensors; {report}");
return last < first / 2 && report.IsComplete ? 0 : 1;

static Tensor Discs(int count)
{
    var middle = rand(count, 2, 1, 1) * Size;
    var rows = arange(Size).reshape(1, Size, 1);
    var columns = arange(Size).reshape(1, 1, Size);
    var distance = (rows - middle.narrow(1, 0, 1).squeeze(1)).pow(2) + (columns - middle.narrow(1, 1, 1).squeeze(1)).pow(2);
    return distance.lt(9 * 9).to_type(float32).unsqueeze(1);
}
