// Cabinet files by the system's own library: what was written is read back, and what is no cabinet is refused.

#include "shadow/vss/cabinet.h"

#include <windows.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "check.h"
#include "system/failure.h"
#include "system/path.h"

namespace {

using namespace domino_vss;

const std::filesystem::path kDirectory = L"C:\\domino-vss-cabinet-test";

void write(const std::filesystem::path& file, const std::string& text) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
}

std::string read(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::string path(const std::wstring& name) {
    return utf8Of(kDirectory / name);
}

void readsBackWhatWasWritten() {
    std::filesystem::remove_all(kDirectory);
    std::filesystem::create_directories(kDirectory / L"out");
    std::string large;
    for (int i = 0; i < 20'000; ++i) large += "<WRITER_COMPONENTS instance=\"" + std::to_string(i * 7919) + "\"/>\n";
    write(kDirectory / L"components.xml", large);
    write(kDirectory / L"empty.xml", "");
    const std::string cabinet = path(L"s\u00e4tze.cab");
    vss::writeCabinet(cabinet, {{path(L"components.xml"), "BCDocument.xml"}, {path(L"empty.xml"), "WM0.xml"}});
    CHECK(read(kDirectory / L"s\u00e4tze.cab").starts_with("MSCF"));
    CHECK(std::filesystem::file_size(kDirectory / L"s\u00e4tze.cab") < large.size() / 2);
    auto names = vss::readCabinet(cabinet, path(L"out"));
    std::ranges::sort(names);
    CHECK((names == std::vector<std::string>{"BCDocument.xml", "WM0.xml"}));
    CHECK(read(kDirectory / L"out" / L"BCDocument.xml") == large);
    CHECK(std::filesystem::file_size(kDirectory / L"out" / L"WM0.xml") == 0);
}

template <typename Work>
Failure failureOf(Work work) {
    try {
        work();
    } catch (const Failure& failure) {
        return Failure(failure);
    }
    CHECK(false);
    std::abort();
}

void saysWhatIsWrong() {
    write(kDirectory / L"bad.cab", "no cabinet at all");
    CHECK(failureOf([] { static_cast<void>(vss::readCabinet(path(L"bad.cab"), path(L"out"))); }).text.find("cabinet") !=
          std::string::npos);
    CHECK(failureOf([] { static_cast<void>(vss::readCabinet(path(L"none.cab"), path(L"out"))); }).statusName ==
          "ERROR_FILE_NOT_FOUND");
    CHECK(failureOf([] {
              vss::writeCabinet(path(L"x.cab"), {{path(L"none.xml"), "a"}});
          }).statusName == "ERROR_FILE_NOT_FOUND");
}

void keepsTheOldOneUntilTheNewOneIsWhole() {
    const std::filesystem::path cabinet = kDirectory / L"kept.cab";
    vss::writeCabinet(path(L"kept.cab"), {{path(L"components.xml"), "BCDocument.xml"}});
    const std::string good = read(cabinet);
    try {
        // The library of Wine fails over a cabinet of nothing but empty files, when it has made the file already.
        vss::writeCabinet(path(L"kept.cab"), {{path(L"empty.xml"), "WM0.xml"}});
        CHECK(read(cabinet).starts_with("MSCF"));
    } catch (const Failure&) {
        CHECK(read(cabinet) == good);
    }
    vss::writeCabinet(path(L"kept.cab"), {{path(L"bad.cab"), "WM0.xml"}});
    CHECK(read(cabinet) != good && read(cabinet).starts_with("MSCF"));
    for (const auto& entry : std::filesystem::directory_iterator(kDirectory))
        CHECK(entry.path().extension() != L".new");
}

void namesTheTemporaryFileThatCannotBeMade() {
    const std::filesystem::path none = kDirectory / L"no directory";
    std::vector<wchar_t> before(MAX_PATH + 1);
    ::GetTempPathW(MAX_PATH, before.data());
    ::SetEnvironmentVariableW(L"TMP", none.c_str());
    ::SetEnvironmentVariableW(L"TEMP", none.c_str());
    const Failure failure = failureOf([] { vss::writeCabinet(path(L"x.cab"), {{path(L"components.xml"), "a"}}); });
    ::SetEnvironmentVariableW(L"TMP", before.data());
    ::SetEnvironmentVariableW(L"TEMP", before.data());
    CHECK(failure.subject.find("no directory") != std::string::npos);
    CHECK(failure.domain == Domain::system && failure.text.find("cabinet") == std::string::npos);
}

void writesNothingOutsideTheDirectory() {
    vss::writeCabinet(path(L"evil.cab"), {{path(L"components.xml"), "..\\escaped.xml"}});
    CHECK(failureOf([] { static_cast<void>(vss::readCabinet(path(L"evil.cab"), path(L"out"))); }).statusName ==
          "ERROR_INVALID_NAME");
    CHECK(!std::filesystem::exists(kDirectory / L"escaped.xml"));
}

}  // namespace

int main() {
    return check::run({
        {"what was written is read back", readsBackWhatWasWritten},
        {"what is wrong is said", saysWhatIsWrong},
        {"an old one is kept until the new one is whole", keepsTheOldOneUntilTheNewOneIsWhole},
        {"a temporary file that cannot be made is named", namesTheTemporaryFileThatCannotBeMade},
        {"nothing is written outside the directory", writesNothingOutsideTheDirectory},
    });
}
