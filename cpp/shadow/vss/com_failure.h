#pragma once

#include <windows.h>

#include <string>

#include "system/failure.h"

namespace domino_vss::vss {

/// With the name and the meaning of the result where it is one that VSS documents.
[[nodiscard]] Failure comFailure(HRESULT result, const char* operation, Phase phase, std::string subject = {});

/// Throws Failure unless the call succeeded; S_FALSE is success.
void require(HRESULT result, const char* operation, Phase phase, const std::string& subject = {});

}  // namespace domino_vss::vss
