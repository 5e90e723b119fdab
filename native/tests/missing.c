/* Run where .NET cannot be found: a status, a text, and no crash. The argument is what the text has to contain. */
#include "test.h"

int main(int count, char **arguments)
{
    sapa_device device = (sapa_device)1;
    (void)count;
    for (int i = 0; i < 2; i++) {
        CHECK(sapa_device_open("cpu", NULL, &device) == SAPA_RUNTIME_MISSING, "%s", sapa_last_error());
        CHECK(strstr(sapa_last_error(), arguments[1]) != NULL, "'%s' is not in: %s", arguments[1], sapa_last_error());
    }
    CHECK(sapa_version() == NULL, "%s", sapa_version());
    CHECK(sapa_abi_version() == SAPA_ABI_VERSION, "%d", (int)sapa_abi_version());
    return report("missing");
}
