#include "accounting.h"

#include <array>
#include <atomic>
#include <cstdio>
#include <cwchar>

namespace vss_simulator {

namespace {

constexpr auto kObjectNames =
    std::to_array({"IVssBackupComponents", "IVssAsync", "IVssEnumObject", "IVssExamineWriterMetadata",
                   "IVssWMComponent", "IVssWMFiledesc", "IVssWMDependency", "IVssWriterComponentsExt", "IVssComponent",
                   "IVssAdmin", "IClassFactory", "IVssWriterImpl", "IVssCreateWriterMetadata"});
constexpr auto kCounterNames = std::to_array({"bstrs.made",
                                              "strings.made",
                                              "strings.freed",
                                              "componentInfos.made",
                                              "componentInfos.freed",
                                              "calls",
                                              "badStates",
                                              "withoutApartment",
                                              "orphansSwept",
                                              "lenient.noGatherWriterMetadata",
                                              "lenient.addComponentAfterStart",
                                              "lenient.contextBeforeInitialize",
                                              "lenient.documentBeforePrepare",
                                              "lenient.noBackupComplete",
                                              "lenient.noAbortBackup",
                                              "lenient.withoutApartment",
                                              "lenient.implicitApartment",
                                              "lenient.backupStateInRestore",
                                              "restoreStatus.none",
                                              "restoreStatus.failed"});

constexpr auto kObjects = static_cast<std::size_t>(ObjectKind::Count);
constexpr auto kCounters = static_cast<std::size_t>(Counter::Count);
static_assert(kObjectNames.size() == kObjects && kCounterNames.size() == kCounters);

using Line = std::array<char, 2048>;

std::array<std::atomic<long>, kObjects> madeObjects;
std::array<std::atomic<long>, kObjects> aliveObjects;
std::array<std::atomic<long>, kCounters> counters;
std::array<wchar_t, MAX_PATH> exitFile{};

std::size_t write(Line& line) {
    std::size_t used = 0;
    const auto add = [&](const char* name, const char* suffix, long value) {
        const int wrote =
            std::snprintf(line.data() + used, line.size() - used, "%s%s%s=%ld", used ? " " : "", name, suffix, value);
        if (wrote > 0) used = std::min(used + static_cast<std::size_t>(wrote), line.size() - 1);
    };
    add("pid", "", static_cast<long>(GetCurrentProcessId()));
    for (std::size_t i = 0; i < kObjects; ++i) {
        add(kObjectNames[i], ".alive", aliveObjects[i]);
        add(kObjectNames[i], ".made", madeObjects[i]);
    }
    for (std::size_t i = 0; i < kCounters; ++i) add(kCounterNames[i], "", counters[i]);
    return used;
}

}  // namespace

void objectMade(ObjectKind kind) {
    ++madeObjects[static_cast<std::size_t>(kind)];
    ++aliveObjects[static_cast<std::size_t>(kind)];
}

void objectGone(ObjectKind kind) {
    --aliveObjects[static_cast<std::size_t>(kind)];
}

void count(Counter counter) {
    ++counters[static_cast<std::size_t>(counter)];
}

std::string report() {
    Line line{};
    return {line.data(), write(line)};
}

void reportAtExit(const std::wstring& file) {
    if (file.size() < exitFile.size()) std::wmemcpy(exitFile.data(), file.c_str(), file.size() + 1);
}

void writeExitReport() {
    if (exitFile[0] == L'\0') return;
    const HANDLE file = CreateFileW(exitFile.data(), FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr,
                                    OPEN_ALWAYS, 0, nullptr);
    if (file == INVALID_HANDLE_VALUE) return;
    static Line line{};  // neither on the stack of a thread that is about to end, nor on the heap
    std::size_t used = write(line);
    line[used++] = '\n';
    DWORD wrote = 0;
    WriteFile(file, line.data(), static_cast<DWORD>(used), &wrote, nullptr);
    CloseHandle(file);
}

}  // namespace vss_simulator
