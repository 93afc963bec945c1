// For GCC only; node-gyp has its own hook for Microsoft's compiler.

#include <windows.h>
// After windows.h.
#include <delayimp.h>

#include <cstring>

namespace {

/// The addon is linked against "node.exe", but the host program may be renamed or be Electron. This resolves the import
/// to the running program, whatever its name.
FARPROC WINAPI nodeIsThisProgram(unsigned notification, PDelayLoadInfo info) {
    if (notification != dliNotePreLoadLibrary || ::_stricmp(info->szDll, "node.exe") != 0) return nullptr;
    return reinterpret_cast<FARPROC>(::GetModuleHandleW(nullptr));
}

}  // namespace

// NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's helper expects this name
PfnDliHook __pfnDliNotifyHook2 = nodeIsThisProgram;
