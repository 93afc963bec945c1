// Names of result codes, and GUIDs as texts.

#include "shadow/vss/vss_codes.h"

#include "check.h"
#include "shadow/vss/guid.h"

namespace {

using namespace domino_vss::vss;

void namesCodes() {
    CHECK(findResultCode(0x80042316)->name == "VSS_E_SNAPSHOT_SET_IN_PROGRESS");
    CHECK(findResultCode(0x80042417)->name == "VSS_E_FSS_TIMEOUT");
    CHECK(findResultCode(0x8004230C)->name == "VSS_E_VOLUME_NOT_SUPPORTED");
    CHECK(findResultCode(0x8004230D)->name == "VSS_E_OBJECT_ALREADY_EXISTS");
    CHECK(findResultCode(0x800423F4)->name == "VSS_E_WRITERERROR_NONRETRYABLE");
    CHECK(findResultCode(result::kTooLate)->name == "RPC_E_TOO_LATE");
    CHECK(findResultCode(result::kAccessDenied)->name == "E_ACCESSDENIED");
    CHECK(findResultCode(0x80070422)->name == "ERROR_SERVICE_DISABLED");
    CHECK(findResultCode(0)->name == "S_OK");
    CHECK(findResultCode(0x80042305) == nullptr);
    CHECK(findResultCode(0xFFFFFFFF) == nullptr);
}

void readsGuids() {
    const std::string text = "{b5946137-7b9f-4925-af80-51abd60b20d5}";
    const auto guid = parseGuid(text);
    CHECK(guid && guid->data1 == 0xb5946137 && guid->data2 == 0x7b9f && guid->data3 == 0x4925);
    CHECK((guid->data4 == std::array<std::uint8_t, 8>{0xaf, 0x80, 0x51, 0xab, 0xd6, 0x0b, 0x20, 0xd5}));
    CHECK(formatGuid(*guid) == text);
    CHECK(parseGuid("B5946137-7B9F-4925-AF80-51ABD60B20D5") == guid);
    CHECK(formatGuid({}).empty());
}

void refusesWhatIsNoGuid() {
    for (const char* text : {"", "{}", "b5946137-7b9f-4925-af80-51abd60b20d", "b5946137-7b9f-4925-af80-51abd60b20d5x",
                             "{b5946137-7b9f-4925-af80-51abd60b20d5", "b594613707b9f-4925-af80-51abd60b20d5",
                             "+5946137-7b9f-4925-af80-51abd60b20d5", "b5946137-7b9f-4925-af80-51abd60b20 5"})
        CHECK(!parseGuid(text));
}

}  // namespace

int main() {
    return check::run({
        {"names result codes", namesCodes},
        {"reads and writes GUIDs", readsGuids},
        {"refuses what is no GUID", refusesWhatIsNoGuid},
    });
}
