// Entries for the application log. Wine takes them and keeps none, so that nothing can be read back here.

#include "system/system_log.h"

#include <string>

#include "check.h"

namespace {

using namespace domino_vss;

void isTaken() {
    writeSystemLog(
        {SystemLogEntry::Severity::error, "backup run failed: \xC3\xBC", {{"DOMINO_VSS_CODE", "ERR_LOCKED"}}});
    writeSystemLog({SystemLogEntry::Severity::warning, std::string(1'000'000, 'x'), {}});
}

}  // namespace

int main() {
    return check::run({{"an entry is taken", isTaken}});
}
