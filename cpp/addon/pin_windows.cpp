#include <windows.h>

namespace domino_vss::addon {

namespace {

/// Node unloads the addon when the worker that loaded it ends, while the addon's threads are still running: see
/// docs/decisions/never-unloaded.md.
const bool kPinned = [] {
    ::HMODULE module = nullptr;
    static const char kWithinThisModule = 0;
    return ::GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                                reinterpret_cast<LPCWSTR>(&kWithinThisModule), &module) != 0;
}();

}  // namespace

}  // namespace domino_vss::addon
