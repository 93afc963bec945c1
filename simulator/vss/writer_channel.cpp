#include "writer_channel.h"

#include <stdexcept>

#include "call.h"
#include "text.h"

namespace vss_simulator {

namespace {

std::wstring pipeName(const std::string& writerInstance) {
    return LR"(\\.\pipe\domino-vss-simulator-writer-)" + utf16(writerInstance);
}

}  // namespace

File newEvent() {
    const HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    if (event == nullptr) throw std::runtime_error("no event could be made");
    return File(event);
}

WriterListener::WriterListener(const std::string& writerInstance) : name_(pipeName(writerInstance)), next_(newPipe()) {}

File WriterListener::newPipe() const {
    constexpr DWORD kBufferBytes = 65'536;
    File pipe(CreateNamedPipeW(name_.c_str(), PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                               PIPE_TYPE_BYTE | PIPE_READMODE_BYTE, PIPE_UNLIMITED_INSTANCES, kBufferBytes,
                               kBufferBytes, 0, nullptr));
    if (!pipe.isOpen()) throw std::runtime_error("no pipe could be made for a writer");
    return pipe;
}

File WriterListener::accept(HANDLE stop) {
    const File connected = newEvent();
    OVERLAPPED connecting{};
    connecting.hEvent = connected.get();
    if (!ConnectNamedPipe(next_.get(), &connecting)) {
        const DWORD error = GetLastError();
        if (error == ERROR_IO_PENDING) {
            const std::array<HANDLE, 2> either{connected.get(), stop};
            const DWORD which = WaitForMultipleObjects(either.size(), either.data(), FALSE, INFINITE);
            if (which != WAIT_OBJECT_0) CancelIoEx(next_.get(), &connecting);
            DWORD ignored = 0;
            GetOverlappedResult(next_.get(), &connecting, &ignored, TRUE);
            if (which != WAIT_OBJECT_0) return {};
        }
        // Otherwise it is connected already; or gone again, which its own connection will notice.
    }
    File pipe = newPipe();
    std::swap(pipe, next_);
    return pipe;
}

File connectToWriter(const std::string& writerInstance) {
    const std::wstring name = pipeName(writerInstance);
    while (true) {
        File pipe(CreateFileW(name.c_str(), GENERIC_READ | GENERIC_WRITE, 0, nullptr, OPEN_EXISTING,
                              FILE_FLAG_OVERLAPPED, nullptr));
        if (pipe.isOpen()) return pipe;
        // Busy: another requester has taken the free pipe instance, and the writer is about to offer the next one.
        constexpr DWORD kPatienceMs = 5'000;
        if (GetLastError() != ERROR_PIPE_BUSY || !WaitNamedPipeW(name.c_str(), kPatienceMs)) return {};
    }
}

WriterChannel::WriterChannel(File pipe) : pipe_(std::move(pipe)), arrived_(newEvent()), transferred_(newEvent()) {}

WriterChannel::~WriterChannel() {
    if (!isReading_) return;
    CancelIoEx(pipe_.get(), &reading_);
    DWORD ignored = 0;
    GetOverlappedResult(pipe_.get(), &reading_, &ignored, TRUE);
}

bool WriterChannel::transfer(bool isWrite, char* bytes, DWORD count) {
    while (count > 0) {
        OVERLAPPED going{};
        going.hEvent = transferred_.get();
        const BOOL isDone = isWrite ? WriteFile(pipe_.get(), bytes, count, nullptr, &going)
                                    : ReadFile(pipe_.get(), bytes, count, nullptr, &going);
        if (!isDone && GetLastError() != ERROR_IO_PENDING) return false;
        DWORD moved = 0;
        if (!GetOverlappedResult(pipe_.get(), &going, &moved, TRUE) || moved == 0) return false;
        bytes += moved;
        count -= moved;
    }
    return true;
}

bool WriterChannel::send(const Element& message) {
    const std::string text = printXml(message);
    const auto length = static_cast<DWORD>(text.size());
    std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
    bytes += text;
    return transfer(true, bytes.data(), static_cast<DWORD>(bytes.size()));
}

HANDLE WriterChannel::arrival() {
    if (!isReading_ && !isClosed_) {
        ResetEvent(arrived_.get());
        reading_ = {};
        reading_.hEvent = arrived_.get();
        isReading_ = true;
        if (!ReadFile(pipe_.get(), &header_, sizeof header_, nullptr, &reading_) &&
            GetLastError() != ERROR_IO_PENDING) {
            isReading_ = false;
            isClosed_ = true;
            SetEvent(arrived_.get());
        }
    }
    return arrived_.get();
}

std::optional<Element> WriterChannel::receive() {
    if (isClosed_ || !isReading_) return std::nullopt;
    DWORD got = 0;
    const BOOL isRead = GetOverlappedResult(pipe_.get(), &reading_, &got, TRUE);
    isReading_ = false;
    auto* header = reinterpret_cast<char*>(&header_);
    if (isRead && got > 0 && transfer(false, header + got, static_cast<DWORD>(sizeof header_) - got)) {
        std::string text(header_, '\0');
        if (transfer(false, text.data(), header_)) return parseXml(text);
    }
    isClosed_ = true;
    SetEvent(arrived_.get());
    return std::nullopt;
}

}  // namespace vss_simulator
