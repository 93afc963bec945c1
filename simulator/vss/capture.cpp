#include "capture.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "call.h"
#include "host.h"
#include "settings.h"
#include "state_directory.h"
#include "text.h"

namespace vss_simulator {

namespace {

namespace fs = std::filesystem;

// Excludes the system's own directories, which are large and not needed by tests, and links out of the prefix.
constexpr std::string_view kExcluded = "windows,Program Files,Program Files (x86),users";

constexpr DWORD kGateByte = 0;
constexpr DWORD kWritesByte = 1;

/** Unix names relative to the root of the volume. */
std::vector<std::string> capturedNames(const Volume& volume) {
    const std::string root = hostName(volume.root);
    std::vector<std::string> names;
    const auto add = [&](const fs::path& path) { names.push_back(hostName(path).substr(root.size() + 1)); };

    const std::vector<std::string> included = split(volume.text("include", ""), ',');
    for (const std::string& name : included) {
        const fs::path path = volume.root + utf16(name);
        if (fs::exists(path)) add(path);
    }
    if (!included.empty()) return names;

    const std::vector<std::string> excluded = split(volume.text("exclude", kExcluded), ',');
    // An empty root has not even an entry for itself, which looks like a missing directory.
    std::error_code empty;
    for (const fs::directory_entry& entry : fs::directory_iterator(volume.root, empty)) {
        const std::wstring name = entry.path().filename().native();
        const auto isName = [&](const std::string& other) { return sameIgnoringCase(utf16(other), name); };
        if (std::ranges::none_of(excluded, isName)) add(entry.path());
    }
    return names;
}

std::string quotedList(const std::vector<std::string>& names) {
    std::string list;
    for (const std::string& name : names) list += ' ' + shellQuoted(name);
    return list;
}

std::string copyScript(const CaptureTarget& target) {
    const std::vector<std::string> names = capturedNames(target.volume);
    const std::string device = hostQuoted(target.device);
    std::string script = "mkdir -p -- " + device + '\n';
    if (!names.empty()) {
        // A file that vanishes during the copy, because its writer is not held, did not exist at the commit.
        script += "cd -- " + hostQuoted(target.volume.root) + "\nif ! LC_ALL=C cp -a --reflink=auto --parents --" +
                  quotedList(names) + ' ' + device + "/ 2>" + device + ".errors; then\n  if grep -qv 'No such file' " +
                  device + ".errors; then cat " + device + ".errors >&2; exit 1; fi\nfi\nrm -f -- " + device +
                  ".errors\n";
    }
    const std::string root = hostName(target.volume.root) + '/';
    const std::string state = hostName(stateDirectory());
    if (state.starts_with(root)) {
        script += "rm -rf -- " + device + '/' + shellQuoted(state.substr(root.size())) + '\n';
    }
    if (!target.isWritable) script += "chmod +t -- " + device + '\n';
    return script;
}

}  // namespace

LONGLONG capture(const std::vector<CaptureTarget>& targets, Operation& operation) {
    using Clock = std::chrono::steady_clock;
    std::string script;
    for (const CaptureTarget& target : targets) script += copyScript(target);

    const auto flushLimitMs = settings().number("flush_limit_ms", 60'000);
    const auto flushStart = Clock::now();
    passPhase("Flush", operation);
    const File writes(CreateFileW((stateDirectory() / L"writes.lock").c_str(), GENERIC_READ | GENERIC_WRITE,
                                  FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr, OPEN_ALWAYS, 0, nullptr));
    if (!writes.isOpen()) throw Failure(VSS_E_UNEXPECTED_PROVIDER_ERROR);
    const auto left = std::chrono::milliseconds(flushLimitMs) - (Clock::now() - flushStart);
    const auto leftMs = std::chrono::duration_cast<std::chrono::milliseconds>(left).count();
    // First the gate: new writers wait, so that the active ones come to an end.
    if (leftMs < 0 || !lockByteExclusively(writes, kGateByte, static_cast<DWORD>(leftMs)) ||
        !lockByteExclusively(writes, kWritesByte, static_cast<DWORD>(leftMs))) {
        throw Failure(VSS_E_FLUSH_WRITES_TIMEOUT);
    }

    const auto holdStart = Clock::now();
    passPhase("Hold", operation);
    passPhase("Commit", operation);
    // The copying does not count: it stands for copy-on-write, which takes no time.
    if (Clock::now() - holdStart > std::chrono::milliseconds(settings().number("hold_limit_ms", 10'000))) {
        throw Failure(VSS_E_HOLD_WRITES_TIMEOUT);
    }
    FILETIME instant{};
    GetSystemTimeAsFileTime(&instant);
    runOnHost(script);
    return static_cast<LONGLONG>(static_cast<ULONGLONG>(instant.dwHighDateTime) << 32 | instant.dwLowDateTime);
}

void revert(const CaptureTarget& source) {
    const std::string root = hostQuoted(source.volume.root);
    const std::vector<std::string> names = capturedNames(source.volume);
    std::string script = "cd -- " + root + '\n';
    if (!names.empty()) script += "rm -rf --" + quotedList(names) + '\n';
    script += "cp -a --reflink=auto -- " + hostQuoted(source.device) + "/. .\nchmod -t .\n";
    runOnHost(script);
}

}  // namespace vss_simulator
