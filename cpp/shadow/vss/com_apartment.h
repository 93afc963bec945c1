#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/database.h"
#include "shadow/vss/headers.h"
#include "shadow/vss/warning.h"
#include "system/failure.h"

namespace domino_vss::vss {

/// The calling thread's membership in the process's multi-threaded apartment. VSS objects have no proxies: they are
/// used directly, from any thread of this apartment. The first membership sets up COM for the whole process, which then
/// stays so: security can be set once only, and the apartment must outlive every thread that passes by.
class ComApartment final : public engine::ThreadScope {
public:
    /// Throws Failure.
    ComApartment();
    ComApartment(const ComApartment&) = delete;
    ComApartment& operator=(const ComApartment&) = delete;
    ~ComApartment() override;

    /// Sets up COM for the process without a membership, so that nobody else comes first. `warnings` says whether that
    /// was possible.
    static void setUpProcess() noexcept;
    /// What went less well than it should, in words; the same for the whole life of the process.
    [[nodiscard]] static std::vector<Warning> warnings();
};

}  // namespace domino_vss::vss
