// Applying change information to a copy.

#include <filesystem>

#include "api.h"
#include "lmbcs.h"
#include "utf8_path.h"

using namespace domino_sim;

namespace {

constexpr std::uint32_t kApplyAbort = 1;

using ApplyCallback = Status (*)(void* parameter, std::uint32_t positionHigh, std::uint32_t positionLow,
                                 std::uint32_t bufferBytes, char* buffer);

class FileSink final : public ChangeSink {
public:
    explicit FileSink(const std::string& path) : file_(path, platform::FileMode::readWrite) {}

    void begin(const ChangeStreamHead& head) override {
        const HeaderPage header = readHeader();
        // The marker in the copy identifies its backup. The page may be torn, but these bytes are not.
        const bool isOurs = isNsf(header) && header.databaseId == head.databaseId && header.backupId == head.backupId &&
                            file_.sizeBytes() >= head.startBytes;
        if (!isOurs) {
            throw StatusError(kCorruptChangeInfo);
        }
    }

    void write(std::uint64_t offset, std::span<std::byte> bytes) override { file_.writeAt(offset, bytes); }

    void truncateToStart() {
        if (const HeaderPage header = readHeader(); isNsf(header) && header.backupId != 0) {
            file_.truncate(header.backupStartBytes);
        }
    }

private:
    HeaderPage readHeader() const {
        HeaderPage header{};
        file_.readAt(0, bytesOf(header));
        return header;
    }

    platform::File file_;
};

class CallbackSink final : public ChangeSink {
public:
    CallbackSink(ApplyCallback callback, void* parameter) : callback_(callback), parameter_(parameter) {}

    void begin(const ChangeStreamHead&) override {}

    void write(std::uint64_t offset, std::span<std::byte> bytes) override {
        const auto status =
            callback_(parameter_, static_cast<std::uint32_t>(offset >> 32), static_cast<std::uint32_t>(offset),
                      static_cast<std::uint32_t>(bytes.size()), reinterpret_cast<char*>(bytes.data()));
        if (status != kNoError) {
            throw StatusError(status);
        }
    }

private:
    ApplyCallback callback_;
    void* parameter_;
};

void startApply(Handle* applyContext, std::unique_ptr<ChangeSink> sink, std::function<void()> finish,
                std::uint32_t sizeLow, std::uint32_t sizeHigh) {
    auto context = std::make_shared<ApplyContext>();
    context->sink = std::move(sink);
    context->finish = std::move(finish);
    context->decoder =
        std::make_unique<ChangeStreamDecoder>(*context->sink, (static_cast<std::uint64_t>(sizeHigh) << 32) | sizeLow);
    *applyContext = Runtime::get().applies.add(std::move(context));
}

std::shared_ptr<ApplyContext> requireApply(Handle handle) {
    auto context = Runtime::get().applies.find(handle);
    if (context == nullptr) {
        throw StatusError(kInvalidChangeInfoContext);
    }
    return context;
}

}  // namespace

NOTES_API std::uint64_t NSFBackupStartApplyChangeInfo(Handle* applyContext, char* copyPath, std::uint32_t flags,
                                                      std::uint32_t sizeLow, std::uint32_t sizeHigh) {
    return call("NSFBackupStartApplyChangeInfo"_function, {0, copyPath}, [&](Environment& environment) -> Status {
        requireZero(flags);
        const std::string path = pathArgument(environment, copyPath);
        if (!pathOf(path).is_absolute() && environment.settings.is("SIM_APPLY_PATH"_setting, "full")) {
            return kAbsolutePathNeeded;
        }
        auto sink = std::make_unique<FileSink>(path);
        std::function<void()> finish;
        if (environment.isOn("SIM_APPLY_TRUNCATES"_setting)) {
            finish = [file = sink.get()] { file->truncateToStart(); };
        }
        startApply(applyContext, std::move(sink), std::move(finish), sizeLow, sizeHigh);
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFBackupStartApplyChangeInfoWithCallback(Handle* applyContext, ApplyCallback callback,
                                                                  void* parameter, std::uint32_t flags,
                                                                  std::uint32_t sizeLow, std::uint32_t sizeHigh) {
    return call("NSFBackupStartApplyChangeInfoWithCallback"_function, {}, [&](Environment&) -> Status {
        requireZero(flags);
        startApply(applyContext, std::make_unique<CallbackSink>(callback, parameter), {}, sizeLow, sizeHigh);
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFBackupApplyNextChangeInfo(Handle applyContext, std::uint32_t flags, char* buffer,
                                                     std::uint32_t bufferBytes) {
    return call("NSFBackupApplyNextChangeInfo"_function, {}, [&](Environment& environment) -> Status {
        requireZero(flags);
        const auto context = requireApply(applyContext);
        context->decoder->feed(std::as_bytes(std::span(buffer, bufferBytes)),
                               environment.settings.is("SIM_CHUNK_BOUNDARIES"_setting, "records"));
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFBackupEndApplyChangeInfo(Handle applyContext, std::uint32_t flags) {
    return call("NSFBackupEndApplyChangeInfo"_function, {}, [&](Environment&) -> Status {
        requireZero(flags & ~kApplyAbort);
        const auto context = requireApply(applyContext);
        Runtime::get().applies.remove(applyContext);
        if ((flags & kApplyAbort) != 0) {
            return kNoError;
        }
        if (!context->decoder->isComplete()) {
            return kCorruptChangeInfo;
        }
        if (context->finish) {
            context->finish();
        }
        return kNoError;
    });
}
