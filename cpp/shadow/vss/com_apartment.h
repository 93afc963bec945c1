#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/database.h"
#include "shadow/vss/headers.h"
#include "shadow/vss/warning.h"
#include "system/failure.h"

namespace domino_vss::vss {

/// The calling thread's membership in the multi-threaded apartment of the process. VSS objects have no proxies, so they
/// are used directly, from any thread of this apartment. The first membership sets up COM for the whole process for
/// good: security can be set only once, and the apartment must outlive all threads that use it.
class ComApartment final : public engine::ThreadScope {
public:
    /// Throws Failure.
    ComApartment();
    ComApartment(const ComApartment&) = delete;
    ComApartment& operator=(const ComApartment&) = delete;
    ~ComApartment() override;

    /// Sets up COM for the process without a membership, before other code does. `warnings` tells whether it succeeded.
    static void setUpProcess() noexcept;
    /// Problems of the setup; the same for the life of the process.
    [[nodiscard]] static std::vector<Warning> warnings();
};

}  // namespace domino_vss::vss
