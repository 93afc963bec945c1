// COM security can be set only once per process: the runtime may do it before its host does.

#include <array>
#include <cstdint>
#include <cstring>

#include <windows.h>
// Left out by WIN32_LEAN_AND_MEAN.
#include <objbase.h>

#include "platform.h"

namespace domino_sim::platform {

namespace {

/** Weaker than a VSS requester needs: writers could not call back. */
HRESULT initialiseSecurity() {
    return ::CoInitializeSecurity(nullptr, -1, nullptr, nullptr, RPC_C_AUTHN_LEVEL_DEFAULT, RPC_C_IMP_LEVEL_IDENTIFY,
                                  nullptr, EOAC_NONE, nullptr);
}

/** Patches the function: from now on it only returns this value. */
void replaceByAnswer(void* function, HRESULT answer) {
    constexpr std::byte kMoveToEax{0xB8};
    constexpr std::byte kReturn{0xC3};
    std::array<std::byte, 2 + sizeof answer> code{kMoveToEax};
    std::memcpy(code.data() + 1, &answer, sizeof answer);
    code.back() = kReturn;
    DWORD before = 0;
    if (::VirtualProtect(function, code.size(), PAGE_EXECUTE_READWRITE, &before) == 0) {
        return;
    }
    std::memcpy(function, code.data(), code.size());
    ::VirtualProtect(function, code.size(), before, &before);
    ::FlushInstructionCache(::GetCurrentProcess(), function, code.size());
}

}  // namespace

void takeComSecurity() {
    static_cast<void>(::CoInitializeEx(nullptr, COINIT_MULTITHREADED));
    if (initialiseSecurity() == RPC_E_TOO_LATE) {
        return;  // the host was first
    }
    // Wine 8 allows it repeatedly.
    if (initialiseSecurity() != RPC_E_TOO_LATE) {
        const FARPROC function = ::GetProcAddress(::GetModuleHandleW(L"ole32.dll"), "CoInitializeSecurity");
        replaceByAnswer(reinterpret_cast<void*>(function), RPC_E_TOO_LATE);
    }
}

}  // namespace domino_sim::platform
