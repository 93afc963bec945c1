#include "shadow/vss/com_apartment.h"

#include "shadow/vss/com_failure.h"
#include "shadow/vss/vss_codes.h"

namespace domino_vss::vss {

namespace {

/// COM setup for the process, done once by the first thread.
struct ProcessCom {
    HRESULT usage = S_OK;
    HRESULT security = S_OK;

    ProcessCom() noexcept {
        CO_MTA_USAGE_COOKIE cookie = nullptr;  // never released, see ComApartment
        usage = ::CoIncrementMTAUsage(&cookie);
        if (FAILED(usage)) return;
        // Writers call back into the requester, so it is also a COM server and must admit them. The settings follow
        // Microsoft's page on the security of requesters.
        security = ::CoInitializeSecurity(nullptr, -1, nullptr, nullptr, RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
                                          RPC_C_IMP_LEVEL_IMPERSONATE, nullptr, EOAC_STATIC_CLOAKING, nullptr);
    }
};

const ProcessCom& processCom() {
    static const ProcessCom instance;
    return instance;
}

}  // namespace

ComApartment::ComApartment() {
    const ProcessCom& process = processCom();
    require(process.usage, "CoIncrementMTAUsage", Phase::runtime);
    require(::CoInitializeEx(nullptr, COINIT_MULTITHREADED), "CoInitializeEx", Phase::runtime);
}

ComApartment::~ComApartment() {
    ::CoUninitialize();
}

void ComApartment::setUpProcess() noexcept {
    static_cast<void>(processCom());
}

std::vector<Warning> ComApartment::warnings() {
    const HRESULT result = processCom().security;
    if (SUCCEEDED(result)) return {};
    if (static_cast<std::uint32_t>(result) == result::kTooLate)
        return {{warning_code::kComSecurity,
                 "other code in this process set up COM security first; if its settings do not admit writers, they "
                 "report event 8194",
                 {}}};
    return {{warning_code::kComSecurity,
             "COM security could not be set up: " + comFailure(result, "CoInitializeSecurity", Phase::runtime).text,
             {}}};
}

}  // namespace domino_vss::vss
