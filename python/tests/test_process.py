"""The library in the process: starting it, forks, signals, threads, memory."""

import os
import threading

import numpy
import pytest
from programs import run
from vectors import REPOSITORY

import sapagpu


def operands(size=8):
    random = numpy.random.default_rng(1)
    shapes = (1, 4, 2 * size, 2 * size), (1, 4, size, size), (1, 4, size, size)
    return [random.normal(size=shape).astype("float32") for shape in shapes]


def test_device_opens_and_closes():
    with sapagpu.Device("cpu", threads=1) as device:
        assert device.kind == "cpu" and device.index == 0 and device.info().startswith("cpu: ")
        expected = sapagpu.window_attention(*operands())
        numpy.testing.assert_array_equal(sapagpu.window_attention(*operands(), device=device), expected)
        device.synchronize()
        assert "cpu" in repr(device)
    assert "closed" in repr(device)
    device.close()
    assert device.info().startswith("cpu: ")
    for use in (device.synchronize, lambda: sapagpu.window_attention(*operands(), device=device)):
        with pytest.raises(sapagpu.ClosedError, match="closed; open another one"):
            use()


def test_default_device_comes_back_when_somebody_closed_it():
    sapagpu.default_device().close()
    assert sapagpu.window_attention(*operands()).shape == (1, 4, 16, 16)


def test_devices_that_are_not_there():
    with pytest.raises(sapagpu.SapaGpuError, match="(?i)abacus"):
        sapagpu.Device("abacus")
    with pytest.raises(TypeError, match="'id' is int"):
        sapagpu.Device(0)
    with pytest.raises(ValueError, match="'threads'"):
        sapagpu.Device("cpu", threads=-1)
    with pytest.raises(TypeError, match="'device' is str"):
        sapagpu.window_attention(*operands(), device="cpu")
    with pytest.raises(sapagpu.DeviceUnavailableError):
        sapagpu.Device("opencl:97")


def test_errors_are_also_pythons_own():
    for error, usual in (
        (sapagpu.InvalidArgumentError, ValueError),
        (sapagpu.NotSupportedError, NotImplementedError),
        (sapagpu.OutOfMemoryError, MemoryError),
        (sapagpu.FileError, OSError),
        (sapagpu.LibraryMissingError, ImportError),
        (sapagpu.RuntimeMissingError, ImportError),
    ):
        assert issubclass(error, usual) and issubclass(error, sapagpu.SapaGpuError)
        with pytest.raises(usual, match="text"):
            raise error("text")


def test_version():
    version = sapagpu.version()
    assert f"<Version>{version}</Version>" in (REPOSITORY / "Directory.Build.props").read_text()


def test_threads_compute_at_once():
    expected = sapagpu.window_attention(*operands())
    wrong = []

    def work():
        for _ in range(50):
            if not numpy.array_equal(sapagpu.window_attention(*operands()), expected):
                wrong.append("value")
            with pytest.raises(ValueError, match="'query' must be"):
                sapagpu.window_attention(operands()[0][:, :3].copy(), *operands()[1:])

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_device_closed_while_others_compute():
    device = sapagpu.Device("cpu")
    started = threading.Barrier(4)
    ends = []

    def work():
        started.wait()
        try:
            while True:
                sapagpu.window_attention(*operands(), device=device)
        except (sapagpu.ClosedError, sapagpu.InvalidHandleError) as error:
            ends.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    started.wait()
    device.close()
    for thread in threads:
        thread.join(20)
    assert len(ends) == 3


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc")
def test_memory_does_not_grow():
    maps = operands(32)

    def work(count):
        for i in range(count):
            output, normaliser = sapagpu.window_attention(*maps, return_normaliser=True)
            sapagpu.window_attention_backward(*maps, normaliser, output)
            if i % 10 == 0:
                with pytest.raises(ValueError):
                    sapagpu.window_attention(maps[1], *maps[1:], out=maps[0])

    # A leak of one output in each would be 5 MB every time; the collector's heap grows a while and then stays.
    for _ in range(8):
        before = resident_bytes()
        work(300)
        if resident_bytes() - before < 1.5e6:
            return
    pytest.fail("memory grows")


def test_first_call_from_many_threads():
    run(
        """
        results = []
        threads = [threading.Thread(target=lambda: results.append(compute())) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert len(results) == 8 and all((result == results[0]).all() for result in results)
        """
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_child_is_told_so_and_does_not_hang():
    run(
        """
        def exit_code(child):
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

        early = os.fork()
        if early == 0:
            os._exit(0 if compute().shape == (1, 4, 8, 8) else 1)
        assert exit_code(early) == 0

        device = sapagpu.Device("cpu")
        compute()
        # Somebody holds the lock of the shared devices while the process forks.
        sapagpu.device._shared._lock.acquire()
        late = os.fork()
        if late == 0:
            signal.alarm(20)
            told = 0
            for use in (compute, device.synchronize, lambda: sapagpu.Device("cpu"), sapagpu.version,
                        lambda: sapagpu.device._shared.get("new", sapagpu.Device)):
                try:
                    use()
                except sapagpu.ForkedError as error:
                    told += "spawn" in str(error)
            del device
            os._exit(told)
        assert exit_code(late) == 5
        sapagpu.device._shared._lock.release()
        compute()
        """
    )


def test_multiprocessing_spawns():
    run(
        """
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor
        compute()
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
            future = pool.submit(sapagpu.window_attention, query, key, value)
            assert (future.result() == compute()).all()
        """
    )


@pytest.mark.skipif(not hasattr(os, "kill") or os.name == "nt", reason="needs signals of POSIX")
def test_signals_keep_their_meaning():
    run(
        """
        seen = []
        signal.signal(signal.SIGUSR1, lambda *_: seen.append("usr1"))
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)}
        compute()
        assert before == {number: signal.getsignal(number) for number in before}
        os.kill(os.getpid(), signal.SIGUSR1)
        assert seen == ["usr1"]

        # An interrupt in a call takes effect when the call returns, and the library works on.
        large = [numpy.ones(size, "float32") for size in ((1, 64, 512, 512), (1, 64, 256, 256), (1, 256, 256, 256))]
        interrupted = False
        for attempt in range(20):
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                for _ in range(1000):
                    sapagpu.window_attention(*large)
            except KeyboardInterrupt:
                interrupted = True
                break
        assert interrupted
        compute()

        signal.signal(signal.SIGINT, lambda *_: seen.append("int"))
        os.kill(os.getpid(), signal.SIGINT)
        assert seen == ["usr1", "int"]
        child = os.spawnl(os.P_NOWAIT, sys.executable, sys.executable, "-c", "pass")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        """
    )
    output = run(
        """
        compute()
        if os.fork() == 0:
            os.execl(sys.executable, sys.executable, "-c", "import sapagpu; print(sapagpu.version())")
        os.wait()
        """
    )
    assert output == sapagpu.version()


def test_no_dotnet():
    run(
        """
        for use in (compute, sapagpu.version, sapagpu.Device):
            try:
                use()
            except sapagpu.RuntimeMissingError as error:
                assert "Looked at: /nowhere" in str(error) and ".NET 10" in str(error), error
            else:
                raise AssertionError("there is a runtime")
        """,
        environment={"DOTNET_ROOT": "/nowhere"},
    )


def copy_package(folder):
    """The package without its library, in a folder of its own."""
    package = folder / "sapagpu"
    package.mkdir(parents=True)
    for file in (REPOSITORY / "python" / "sapagpu").glob("*.py"):
        (package / file.name).write_text(file.read_text())
    return package


IMPORT = """
try:
    import sapagpu
except ImportError as error:
    print(error)
"""


def test_no_library(tmp_path):
    package = copy_package(tmp_path / "python")
    foreign = tmp_path / "foreign.so"
    foreign.write_text("no library")
    for named, text in (("/nowhere", "was not found. Looked at: "), (str(foreign), "cannot be loaded")):
        output = run(IMPORT, environment={"SAPAGPU_LIBRARY": named, "PYTHONPATH": str(package.parent)}, head="")
        assert text in output and named in output, output


def test_library_of_another_version(tmp_path):
    package = copy_package(tmp_path)
    abi = package / "_abi.py"
    abi.write_text(abi.read_text().replace("ABI_VERSION = 1", "ABI_VERSION = 99"))
    library = REPOSITORY / "native" / "out" / "lib"
    output = run(IMPORT, environment={"SAPAGPU_LIBRARY": str(library), "PYTHONPATH": str(tmp_path)}, head="")
    assert "has version 1 of the C interface; this package needs 99" in output


def test_library_by_its_folder(tmp_path):
    copy_package(tmp_path)
    run(
        "assert compute().shape == (1, 4, 8, 8) and sapagpu.__file__.startswith(os.environ['PYTHONPATH'])",
        environment={"SAPAGPU_LIBRARY": str(REPOSITORY / "native" / "out" / "lib"), "PYTHONPATH": str(tmp_path)},
    )
