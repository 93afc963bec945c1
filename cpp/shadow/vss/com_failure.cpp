#include "shadow/vss/com_failure.h"

#include <utility>

#include "shadow/vss/vss_codes.h"
#include "system/system_error.h"

namespace domino_vss::vss {

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

}  // namespace domino_vss::vss
