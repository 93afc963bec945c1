// For GCC; the build tools have a hook of their own for Microsoft's compiler, and only for that.

#include <windows.h>
// After windows.h.
#include <delayimp.h>

#include <cstring>

namespace {

/// The addon is linked with "node.exe", but the program that loads it may have been renamed, or be Electron. Whatever
/// it is called, it is the program that runs.
FARPROC WINAPI nodeIsThisProgram(unsigned notification, PDelayLoadInfo info) {
    if (notification != dliNotePreLoadLibrary || ::_stricmp(info->szDll, "node.exe") != 0) return nullptr;
    return reinterpret_cast<FARPROC>(::GetModuleHandleW(nullptr));
}

}  // namespace

// NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's helper looks for this name
PfnDliHook __pfnDliNotifyHook2 = nodeIsThisProgram;
