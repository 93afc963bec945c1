#include "shadow/vss/com.h"

#include <mutex>
#include <new>

#include "shadow/vss/vss_codes.h"
#include "system/path.h"
#include "system/system_error.h"

namespace domino_vss::vss {

namespace {

/// What is done once, by the first thread that comes.
struct ProcessCom {
    HRESULT usage = S_OK;
    HRESULT security = S_OK;

    ProcessCom() {
        CO_MTA_USAGE_COOKIE cookie = nullptr;  // never given back, see ComApartment
        usage = ::CoIncrementMTAUsage(&cookie);
        if (FAILED(usage)) return;
        // Writers call back into the requester, so it is a COM server too and must admit them: as Microsoft's page on
        // the security of requesters has it.
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

std::vector<std::string> ComApartment::warnings() {
    const HRESULT result = processCom().security;
    if (SUCCEEDED(result)) return {};
    if (static_cast<std::uint32_t>(result) == result::kTooLate)
        return {
            "another module of this process had set up COM security before; if it does not admit writers, they "
            "report event 8194"};
    return {"COM security could not be set up: " + comFailure(result, "CoInitializeSecurity", Phase::runtime).text};
}

Failure comFailure(HRESULT result, const char* operation, Phase phase, std::string subject) {
    const auto value = static_cast<std::uint32_t>(result);
    const ResultCode* const known = findResultCode(value);
    Failure failure(code::kVss, phase,
                    known != nullptr ? std::string(known->text) : systemErrorText(static_cast<int>(value)),
                    std::move(subject));
    failure.operation = operation;
    failure.domain = Domain::com;
    failure.status = value;
    if (known != nullptr) failure.statusName = known->name;
    return failure;
}

void require(HRESULT result, const char* operation, Phase phase, const std::string& subject) {
    if (FAILED(result)) throw comFailure(result, operation, phase, subject);
}

Bstr::Bstr(std::string_view utf8) {
    const std::wstring text = toUtf16(utf8);
    text_ = ::SysAllocStringLen(text.data(), static_cast<UINT>(text.size()));
    if (text_ == nullptr) throw std::bad_alloc();
}

std::string Bstr::utf8() const {
    return toUtf8({text_, text_ == nullptr ? 0U : ::SysStringLen(text_)});
}

std::string TaskString::utf8() const {
    return utf8Of(text_);
}

std::string utf8Of(const wchar_t* text) {
    return text == nullptr ? std::string{} : toUtf8(text);
}

}  // namespace domino_vss::vss
