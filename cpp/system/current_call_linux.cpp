#include "system/current_call.h"

namespace domino_vss {

namespace {

thread_local CurrentCall* current = nullptr;

}  // namespace

CurrentCall* CurrentCall::ofThread() noexcept {
    return current;
}

void CurrentCall::setOfThread(CurrentCall* call) noexcept {
    current = call;
}

}  // namespace domino_vss
