// The first caller in a process sets COM security; later callers cannot change it.
#include <array>
#include <cstring>

#include <windows.h>
// WIN32_LEAN_AND_MEAN excludes it.
#include <objbase.h>

#include "harness.h"

extern "C" void NotesTerm();  // domino.h and windows.h cannot be included together

namespace {

HRESULT setUp() {
    CHECK(SUCCEEDED(CoInitializeEx(nullptr, COINIT_MULTITHREADED)));
    return CoInitializeSecurity(nullptr, -1, nullptr, nullptr, RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
                                RPC_C_IMP_LEVEL_IMPERSONATE, nullptr, EOAC_STATIC_CLOAKING, nullptr);
}

void run(const char* part) {
    const bool takes = std::strcmp(part, "takes") == 0 || std::strcmp(part, "late") == 0;
    CHECK(SetEnvironmentVariableW(L"SIM_COM_SECURITY", takes ? L"1" : L"0") != 0);
    if (std::strcmp(part, "late") == 0) {
        CHECK(setUp() == S_OK);
    }
    simulationInit();
    if (std::strcmp(part, "late") != 0) {
        CHECK(setUp() == (takes ? RPC_E_TOO_LATE : S_OK));
    }
    NotesTerm();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1) {
        run(argv[1]);
        return 0;
    }
    simulationCreate("--databases 2");
    for (const char* part : std::array{"leaves", "takes", "late"}) {
        CHECK(runAgain(part) == 0);
    }
    simulationDestroy();
    return 0;
}
