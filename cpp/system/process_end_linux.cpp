#include "system/process_end.h"

#include <unistd.h>

namespace domino_vss {

void endProcess(int exitCode) noexcept {
    ::_exit(exitCode);
}

}  // namespace domino_vss
