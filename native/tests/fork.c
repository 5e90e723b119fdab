/* A child that is forked before the first call works; one that is forked later is told why it cannot. */
#include "test.h"

#include <sys/wait.h>
#include <unistd.h>

static int exit_code_of(pid_t child)
{
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void)
{
    sapa_device device = NULL;
    pid_t child = fork();
    if (child == 0)
        _exit(sapa_device_open("cpu", NULL, &device) == SAPA_OK ? 42 : 1);
    CHECK(exit_code_of(child) == 42, "a child forked before the first call cannot use the library");

    CHECK_OK(sapa_device_open("cpu", NULL, &device));
    child = fork();
    if (child == 0) {
        int right = sapa_device_synchronize(device) == SAPA_FORKED && strstr(sapa_last_error(), "forked") != NULL
            && sapa_version() == NULL && sapa_abi_version() == SAPA_ABI_VERSION;
        _exit(right ? 42 : 1);
    }
    CHECK(exit_code_of(child) == 42, "a child forked after the first call was not told so");
    CHECK_OK(sapa_device_synchronize(device));
    CHECK_OK(sapa_device_close(device));
    return report("fork");
}
