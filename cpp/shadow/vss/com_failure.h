#pragma once

#include <windows.h>

#include <concepts>
#include <string>

#include "system/current_call.h"
#include "system/failure.h"

namespace domino_vss::vss {

/// With the name and the meaning of the result where it is one that VSS documents.
[[nodiscard]] Failure comFailure(HRESULT result, const char* operation, Phase phase, std::string subject = {});

/// Throws Failure unless the call succeeded; S_FALSE is success.
void require(HRESULT result, const char* operation, Phase phase, const std::string& subject = {});

/// The same for a call that is still to be made, and is named while it hangs.
template <std::invocable Call>
void require(Call call, const char* operation, Phase phase, const std::string& subject = {}) {
    CurrentCall::note(operation, subject);
    require(call(), operation, phase, subject);
}

}  // namespace domino_vss::vss
