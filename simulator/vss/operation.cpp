#include "operation.h"

#include <chrono>
#include <thread>

#include "call.h"
#include "settings.h"

namespace vss_simulator {

namespace {

class Async final : public ComObject<abi::IVssAsync, ObjectKind::Async> {
public:
    Async(std::shared_ptr<Operation> operation, bool cancellable)
        : operation_(std::move(operation)), cancellable_(cancellable) {}

    HRESULT STDMETHODCALLTYPE Cancel() override {
        return call("IVssAsync::Cancel", [&]() -> HRESULT {
            const HRESULT before = operation_->status();
            if (before != VSS_S_ASYNC_PENDING) return before;
            const std::string effect = cancellable_ ? settings().text("cancel", "immediate") : "fail";
            if (effect == "fail") return VSS_E_UNEXPECTED;
            if (effect == "immediate") operation_->requestCancel();
            operation_->wait(INFINITE);
            return operation_->status() == VSS_S_ASYNC_CANCELLED ? S_OK : operation_->status();
        });
    }

    HRESULT STDMETHODCALLTYPE Wait(DWORD milliseconds) override {
        return call("IVssAsync::Wait", [&]() -> HRESULT {
            if (milliseconds != INFINITE && settings().flag("wait.infinite_only", false)) return E_INVALIDARG;
            const HRESULT status = operation_->wait(milliseconds);
            return FAILED(status) && settings().flag("wait.returns_error", false) ? status : S_OK;
        });
    }

    HRESULT STDMETHODCALLTYPE QueryStatus(HRESULT* status, INT* reserved) override {
        return call("IVssAsync::QueryStatus", [&]() -> HRESULT {
            if (status == nullptr) return E_INVALIDARG;
            *status = operation_->status();
            if (reserved != nullptr) *reserved = 0;
            return S_OK;
        });
    }

protected:
    bool answers(const GUID& id) const override { return IsEqualGUID(id, abi::kAsyncId) || ComObject::answers(id); }

private:
    const std::shared_ptr<Operation> operation_;
    const bool cancellable_;
};

}  // namespace

void runOnOwnThread(std::function<void()> work) {
    // The thread must not end before it is detached: mingw-w64's thread library would give its record to another thread
    // while still using it.
    const auto detaching = std::make_shared<std::mutex>();
    const std::scoped_lock untilDetached(*detaching);
    std::thread([detaching, work = std::move(work)]() mutable {
        { const std::scoped_lock detached(*detaching); }
        work();
    }).detach();
}

std::shared_ptr<Operation> Operation::start(std::string method, std::function<HRESULT(Operation&)> body,
                                            std::function<void()> failed) {
    auto operation = std::make_shared<Operation>();
    runOnOwnThread(
        [operation, method = std::move(method), body = std::move(body), failed = std::move(failed)]() mutable {
            const HRESULT result = asyncCall(method, *operation, [&] { return body(*operation); });
            if (FAILED(result) || result == VSS_S_ASYNC_CANCELLED) failed();
            body = nullptr;
            failed = nullptr;  // releases what the work captured before the end becomes visible
            const std::scoped_lock lock(operation->mutex_);
            operation->status_ = result == S_OK ? VSS_S_ASYNC_FINISHED : result;
            operation->changed_.notify_all();
        });
    return operation;
}

void Operation::pause(std::int64_t milliseconds) {
    std::unique_lock lock(mutex_);
    const auto cancelled = [&] { return cancelRequested_; };
    if (milliseconds < 0) {
        changed_.wait(lock, cancelled);
    } else {
        changed_.wait_for(lock, std::chrono::milliseconds(milliseconds), cancelled);
    }
    if (cancelRequested_) throw Failure(VSS_S_ASYNC_CANCELLED);
}

HRESULT Operation::status() const {
    const std::scoped_lock lock(mutex_);
    return status_;
}

HRESULT Operation::wait(DWORD milliseconds) const {
    std::unique_lock lock(mutex_);
    const auto over = [&] { return status_ != VSS_S_ASYNC_PENDING; };
    if (milliseconds == INFINITE) {
        changed_.wait(lock, over);
    } else {
        changed_.wait_for(lock, std::chrono::milliseconds(milliseconds), over);
    }
    return status_;
}

void Operation::requestCancel() {
    const std::scoped_lock lock(mutex_);
    cancelRequested_ = true;
    changed_.notify_all();
}

Ref<abi::IVssAsync> makeAsync(std::shared_ptr<Operation> operation, bool cancellable) {
    auto async = makeObject<Async>(std::move(operation), cancellable);
    return Ref<abi::IVssAsync>::adopt(async.detach());
}

}  // namespace vss_simulator
