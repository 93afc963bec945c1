#include "line_server.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace domino_sim::cli {

namespace {

constexpr int kPollMs = 50;  // a stop is noticed after that

/** Takes whole lines out of what has been read so far. */
class LineBuffer {
public:
    /** False at the end of the input. */
    bool readFrom(int descriptor) {
        char piece[65536];
        const ssize_t got = ::read(descriptor, piece, sizeof piece);
        if (got <= 0) {
            return false;
        }
        text_.append(piece, static_cast<std::size_t>(got));
        return true;
    }

    bool next(std::string& line) {
        const auto end = text_.find('\n');
        if (end == std::string::npos) {
            return false;
        }
        line = text_.substr(0, end);
        text_.erase(0, end + 1);
        return true;
    }

private:
    std::string text_;
};

void serveConnection(const std::stop_token& stop, int descriptor, const AnswerLine& answer) {
    LineBuffer buffer;
    pollfd waiting{descriptor, POLLIN, 0};
    bool isOpen = true;
    while (isOpen && !stop.stop_requested()) {
        if (::poll(&waiting, 1, kPollMs) <= 0) {
            continue;
        }
        isOpen = buffer.readFrom(descriptor);
        for (std::string line; isOpen && buffer.next(line);) {
            const std::string text = answer(line) + "\n";
            isOpen = ::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
        }
    }
    ::close(descriptor);
}

}  // namespace

LineServer::LineServer(const std::string& socketPath, AnswerLine answer)
    : socketPath_(socketPath), answer_(std::move(answer)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socketPath.size() >= sizeof address.sun_path) {
        throw std::system_error(ENAMETOOLONG, std::generic_category(), socketPath);
    }
    std::memcpy(address.sun_path, socketPath.data(), socketPath.size());
    ::unlink(socketPath.c_str());
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener_ == -1 || ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == -1 ||
        ::listen(listener_, SOMAXCONN) == -1) {
        throw std::system_error(errno, std::generic_category(), socketPath);
    }
    acceptor_ = std::jthread([this](const std::stop_token& stop) { accept(stop); });
}

LineServer::~LineServer() {
    acceptor_.request_stop();
    acceptor_.join();
    connections_.clear();
    ::close(listener_);
    ::unlink(socketPath_.c_str());
}

void LineServer::accept(const std::stop_token& stop) {
    pollfd waiting{listener_, POLLIN, 0};
    while (!stop.stop_requested()) {
        if (::poll(&waiting, 1, kPollMs) <= 0) {
            continue;
        }
        const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (descriptor != -1) {
            connections_.emplace_back([this, descriptor](const std::stop_token& connectionStop) {
                serveConnection(connectionStop, descriptor, answer_);
            });
        }
    }
}

void answerStandardInput(const AnswerLine& answer, int stopDescriptor, bool stopsAtEnd) {
    LineBuffer buffer;
    pollfd waiting[] = {{STDIN_FILENO, POLLIN, 0}, {stopDescriptor, POLLIN, 0}};
    nfds_t count = 2;
    while (true) {
        // After the end of the input only the stop is waited for.
        if (::poll(count == 2 ? waiting : waiting + 1, count, -1) == -1 && errno != EINTR) {
            return;
        }
        if ((waiting[1].revents & POLLIN) != 0) {
            return;
        }
        if (count == 2 && (waiting[0].revents & (POLLIN | POLLHUP)) != 0 && !buffer.readFrom(STDIN_FILENO)) {
            if (stopsAtEnd) {
                return;
            }
            count = 1;
        }
        for (std::string line; buffer.next(line);) {
            std::printf("%s\n", answer(line).c_str());
            std::fflush(stdout);
        }
    }
}

}  // namespace domino_sim::cli
