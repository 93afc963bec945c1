// Entries for the journal of systemd, taken by a socket of the test's own and read as its protocol says.

#include "system/system_log.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>

#include "check.h"
#include "system/failure.h"
#include "system/file_descriptor.h"

namespace {

using namespace domino_vss;

/// A journal of the test's own.
class Journal {
public:
    Journal() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        std::string name = (std::filesystem::temp_directory_path() / "domino-vss-log-XXXXXX").native();
        CHECK(::mkdtemp(name.data()) != nullptr);
        directory_ = name;
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        CHECK(path().size() < sizeof address.sun_path);
        std::strcpy(static_cast<char*>(address.sun_path), path().c_str());
        CHECK(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    }
    ~Journal() { std::filesystem::remove_all(directory_); }
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    [[nodiscard]] std::string path() const { return (directory_ / "socket").native(); }

    /// The fields of the next entry.
    [[nodiscard]] std::map<std::string, std::string> receive() const {
        static std::array<char, 256 * 1024> buffer;
        const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        CHECK(got > 0);
        const std::string datagram(buffer.data(), static_cast<std::size_t>(got));
        std::map<std::string, std::string> fields;
        std::size_t at = 0;
        while (at < datagram.size()) {
            const std::size_t end = datagram.find_first_of("=\n", at);
            CHECK(end != std::string::npos);
            const std::string name = datagram.substr(at, end - at);
            std::size_t begin = end + 1;
            std::size_t length = 0;
            if (datagram[end] == '=') {
                length = datagram.find('\n', begin) - begin;
            } else {
                std::uint64_t bytes = 0;
                for (int i = 7; i >= 0; --i)
                    bytes = (bytes << 8U) | static_cast<unsigned char>(datagram.at(begin + static_cast<unsigned>(i)));
                begin += 8;
                length = bytes;
            }
            CHECK(datagram.at(begin + length) == '\n');
            CHECK(fields.emplace(name, datagram.substr(begin, length)).second);
            at = begin + length + 1;
        }
        return fields;
    }

private:
    FileDescriptor socket_;
    std::filesystem::path directory_;
};

void writesAnEntry() {
    const Journal journal;
    writeSystemLog({SystemLogEntry::Severity::error,
                    "backup run failed",
                    {{"DOMINO_VSS_CODE", "ERR_LOCKED"}, {"DOMINO_VSS_TEXT", "two\nlines = \xC3\xBC"}}},
                   journal.path());
    const std::map<std::string, std::string> expected{{"MESSAGE", "backup run failed"},
                                                      {"PRIORITY", "3"},
                                                      {"SYSLOG_IDENTIFIER", "domino-vss"},
                                                      {"DOMINO_VSS_CODE", "ERR_LOCKED"},
                                                      {"DOMINO_VSS_TEXT", "two\nlines = \xC3\xBC"}};
    CHECK(journal.receive() == expected);
    writeSystemLog({SystemLogEntry::Severity::warning, "backup run: partial", {}}, journal.path());
    CHECK(journal.receive().at("PRIORITY") == "4");
}

void cutsWhatIsTooLong() {
    const Journal journal;
    writeSystemLog({SystemLogEntry::Severity::error, std::string(10'000'000, 'x'), {}}, journal.path());
    CHECK(journal.receive().at("MESSAGE") == std::string(24 * 1024, 'x'));
}

int statusOf(const std::string& path) {
    try {
        writeSystemLog({SystemLogEntry::Severity::error, std::string(20'000, 'x'), {}}, path);
        return 0;
    } catch (const Failure& failure) {
        CHECK(std::string_view(failure.code) == code::kFileSystem);
        CHECK(failure.subject == path);
        return failure.status;
    }
}

/// Neither a journal that is not there nor one that does not read can hold anybody up.
void failsAtOnce() {
    const Journal journal;
    CHECK(statusOf(journal.path() + "-not") == ENOENT);
    CHECK(statusOf(std::string(200, 'x')) == ENAMETOOLONG);
    int status = 0;
    for (int i = 0; i < 10'000 && status == 0; ++i) status = statusOf(journal.path());
    CHECK(status == EAGAIN || status == ENOBUFS);
}

}  // namespace

int main() {
    return check::run({{"an entry has its fields", writesAnEntry},
                       {"a text that is too long is cut", cutsWhatIsTooLong},
                       {"a journal that takes nothing is a failure at once", failsAtOnce}});
}
