#pragma once

#include <windows.h>

#include <concepts>
#include <string>

#include "system/current_call.h"
#include "system/failure.h"

namespace domino_vss::vss {

/// Includes the name and meaning of the result if VSS documents it.
[[nodiscard]] Failure comFailure(HRESULT result, const char* operation, Phase phase, std::string subject = {});

/// Throws Failure if the call failed. S_FALSE counts as success.
void require(HRESULT result, const char* operation, Phase phase, const std::string& subject = {});

/// The same for a call to be made here; it is recorded in CurrentCall, so that it can be named if it hangs.
template <std::invocable Call>
void require(Call call, const char* operation, Phase phase, const std::string& subject = {}) {
    CurrentCall::note(operation, subject);
    require(call(), operation, phase, subject);
}

}  // namespace domino_vss::vss
