#include "system/process_end.h"

#include <windows.h>

#include <cstdlib>

namespace domino_vss {

void endProcess(int exitCode) noexcept {
    ::TerminateProcess(::GetCurrentProcess(), static_cast<UINT>(exitCode));
    std::abort();  // not reached: a process may always terminate itself
}

}  // namespace domino_vss
