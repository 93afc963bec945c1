#include "line_server.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "line_buffer.h"

namespace domino_sim::cli {

namespace {

constexpr int kPollMs = 50;  // the delay until a stop is noticed

/** Returns false at the end of the input. */
bool readInto(LineBuffer& buffer, int descriptor) {
    char piece[65536];
    const ssize_t got = ::read(descriptor, piece, sizeof piece);
    if (got <= 0) {
        return false;
    }
    buffer.append({piece, static_cast<std::size_t>(got)});
    return true;
}

void serveConnection(const std::stop_token& stop, int descriptor, const AnswerLine& answer) {
    LineBuffer buffer;
    pollfd waiting{descriptor, POLLIN, 0};
    bool isOpen = true;
    while (isOpen && !stop.stop_requested()) {
        if (::poll(&waiting, 1, kPollMs) <= 0) {
            continue;
        }
        isOpen = readInto(buffer, descriptor);
        for (std::string line; isOpen && buffer.next(line);) {
            const std::string text = answer(line) + "\n";
            isOpen = ::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
        }
    }
    ::close(descriptor);
}

}  // namespace

class LineServer::Listener {
public:
    Listener(const std::string& socketPath, AnswerLine answer) : socketPath_(socketPath), answer_(std::move(answer)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (socketPath.size() >= sizeof address.sun_path) {
            throw std::system_error(ENAMETOOLONG, std::generic_category(), socketPath);
        }
        std::memcpy(address.sun_path, socketPath.data(), socketPath.size());
        ::unlink(socketPath.c_str());
        socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (socket_ == -1 || ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == -1 ||
            ::listen(socket_, SOMAXCONN) == -1) {
            throw std::system_error(errno, std::generic_category(), socketPath);
        }
        acceptor_ = std::jthread([this](const std::stop_token& stop) { accept(stop); });
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener() {
        acceptor_.request_stop();
        acceptor_.join();
        connections_.clear();
        ::close(socket_);
        ::unlink(socketPath_.c_str());
    }

private:
    void accept(const std::stop_token& stop) {
        pollfd waiting{socket_, POLLIN, 0};
        while (!stop.stop_requested()) {
            if (::poll(&waiting, 1, kPollMs) <= 0) {
                continue;
            }
            const int descriptor = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
            if (descriptor != -1) {
                connections_.emplace_back([this, descriptor](const std::stop_token& connectionStop) {
                    serveConnection(connectionStop, descriptor, answer_);
                });
            }
        }
    }

    std::string socketPath_;
    AnswerLine answer_;
    int socket_ = -1;
    std::vector<std::jthread> connections_;
    std::jthread acceptor_;  // last, so that it ends first
};

LineServer::LineServer(const std::string& address, AnswerLine answer)
    : listener_(std::make_unique<Listener>(address, std::move(answer))) {}

LineServer::~LineServer() = default;

StopRequest::StopRequest() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // in this and all later threads
    waitable_ = ::signalfd(-1, &signals, SFD_CLOEXEC);
}

StopRequest::~StopRequest() {
    ::close(static_cast<int>(waitable_));
}

void StopRequest::request() {
    ::kill(::getpid(), SIGTERM);
}

void answerStandardInput(const AnswerLine& answer, const StopRequest& stop, bool stopsAtEnd) {
    LineBuffer buffer;
    pollfd waiting[] = {{STDIN_FILENO, POLLIN, 0}, {static_cast<int>(stop.waitable()), POLLIN, 0}};
    nfds_t count = 2;
    while (true) {
        // After the end of the input, only the stop request is waited for.
        if (::poll(count == 2 ? waiting : waiting + 1, count, -1) == -1 && errno != EINTR) {
            return;
        }
        if ((waiting[1].revents & POLLIN) != 0) {
            return;
        }
        if (count == 2 && (waiting[0].revents & (POLLIN | POLLHUP)) != 0 && !readInto(buffer, STDIN_FILENO)) {
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

void useBinaryStreams() {}

}  // namespace domino_sim::cli
