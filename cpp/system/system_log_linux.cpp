#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "system/failure.h"
#include "system/file_descriptor.h"
#include "system/system_log.h"

namespace domino_vss {

namespace {

constexpr std::string_view kJournal = "/run/systemd/journal/socket";

/// A datagram is limited by the send buffer, and the journal accepts 48 KiB of a message.
constexpr std::size_t kLongestValue = std::size_t{24} * 1024;

/// Syslog's numbers.
constexpr const char* priorityOf(SystemLogEntry::Severity severity) noexcept {
    return severity == SystemLogEntry::Severity::error ? "3" : "4";
}

/// The journal's native protocol: `NAME=value` and a line feed. A value that contains a line feed is sent as the name,
/// a line feed, the length (64 bits, little-endian) and the value.
void append(std::string& datagram, std::string_view name, std::string_view value) {
    value = value.substr(0, kLongestValue);
    datagram += name;
    if (value.find('\n') == std::string_view::npos) {
        datagram += '=';
    } else {
        datagram += '\n';
        for (unsigned shift = 0; shift < 64; shift += 8)
            datagram += static_cast<char>((std::uint64_t{value.size()} >> shift) & 0xFFU);
    }
    datagram += value;
    datagram += '\n';
}

}  // namespace

void writeSystemLog(const SystemLogEntry& entry, const std::string& place) {
    const std::string path = place.empty() ? std::string(kJournal) : place;
    const auto fail = [&path](const char* operation, int error) {
        return systemFailure(code::kFileSystem, Phase::end, operation, path, error);
    };
    std::string datagram;
    append(datagram, "MESSAGE", entry.message);
    append(datagram, "PRIORITY", priorityOf(entry.severity));
    append(datagram, "SYSLOG_IDENTIFIER", "domino-vss");
    for (const auto& [name, value] : entry.fields) append(datagram, name, value);

    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw fail("sendto", ENAMETOOLONG);
    std::ranges::copy(path, static_cast<char*>(address.sun_path));
    const FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket.valid()) throw fail("socket", errno);
    const ssize_t sent = ::sendto(socket.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                                  reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (sent < 0) throw fail("sendto", errno);
}

}  // namespace domino_vss
