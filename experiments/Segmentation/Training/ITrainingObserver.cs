namespace SapaGpu.Segmentation;

/// <summary>Is told how far a run has come.</summary>
internal interface ITrainingObserver
{
    /// <summary>A run begins, or goes on after some of its steps.</summary>
    void RunStarted(RunKey key, int stepsTaken, int steps);

    /// <summary>A step has been taken.</summary>
    void StepTaken(RunKey key, int epoch, double loss);

    /// <summary>An epoch has ended.</summary>
    void EpochEnded(RunKey key, int epoch, EpochRecord record);

    /// <summary>A run has ended, now or earlier.</summary>
    void RunEnded(RunResult result);
}
