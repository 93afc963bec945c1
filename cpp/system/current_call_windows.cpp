#include <windows.h>

#include "system/current_call.h"

namespace domino_vss {

namespace {

// Not a thread_local: mingw-w64 finds that through the thread library in this DLL, and some threads that come here (of
// Node.js, COM and the Service Control Manager) were made without it. A thread that was taken for another one would
// write through a pointer to an object that is gone.
DWORD slot() noexcept {
    static const DWORD allocated = ::TlsAlloc();
    return allocated;
}

}  // namespace

CurrentCall* CurrentCall::ofThread() noexcept {
    const DWORD error = ::GetLastError();
    auto* const call = static_cast<CurrentCall*>(::TlsGetValue(slot()));
    ::SetLastError(error);  // a success of TlsGetValue clears it
    return call;
}

void CurrentCall::setOfThread(CurrentCall* call) noexcept {
    const DWORD error = ::GetLastError();
    ::TlsSetValue(slot(), call);
    ::SetLastError(error);
}

}  // namespace domino_vss
