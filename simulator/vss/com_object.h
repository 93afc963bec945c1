#pragma once
// Reference counting for objects handed to the caller.

#include <windows.h>

#include <atomic>
#include <memory>
#include <utility>

#include "abi.h"
#include "accounting.h"

namespace vss_simulator {

/** Owns one reference. */
template <class T>
class Ref {
public:
    Ref() = default;
    /** Takes over an existing reference. */
    static Ref adopt(T* object) {
        Ref ref;
        ref.object_ = object;
        return ref;
    }
    static Ref share(T* object) {
        object->AddRef();
        return adopt(object);
    }
    Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Ref& operator=(Ref&& other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    Ref(const Ref& other) : object_(other.object_) {
        if (object_) object_->AddRef();
    }
    Ref& operator=(const Ref&) = delete;
    ~Ref() {
        if (object_) object_->Release();
    }
    T* operator->() const { return object_; }
    T& operator*() const { return *object_; }
    T* get() const { return object_; }
    /** Transfers the reference to the caller. */
    T* detach() { return std::exchange(object_, nullptr); }

private:
    T* object_ = nullptr;
};

/** QueryInterface returns `Interface` for the identifiers that the derived class accepts. */
template <class Interface, ObjectKind kKind>
class ComObject : public Interface {
public:
    ComObject() { objectMade(kKind); }
    ComObject(const ComObject&) = delete;
    ComObject& operator=(const ComObject&) = delete;

    HRESULT STDMETHODCALLTYPE QueryInterface(REFIID id, void** object) override {
        if (object == nullptr) return E_POINTER;
        *object = nullptr;
        if (!answers(id)) return E_NOINTERFACE;
        AddRef();
        *object = static_cast<Interface*>(this);
        return S_OK;
    }
    ULONG STDMETHODCALLTYPE AddRef() override { return ++references_; }
    ULONG STDMETHODCALLTYPE Release() override {
        const ULONG left = --references_;
        if (left == 0) const std::unique_ptr<ComObject> last(this);
        return left;
    }

protected:
    virtual ~ComObject() { objectGone(kKind); }
    friend struct std::default_delete<ComObject>;
    virtual bool answers(const GUID& id) const { return IsEqualGUID(id, abi::kUnknownId); }

private:
    std::atomic<ULONG> references_{1};
};

template <class T, class... Arguments>
Ref<T> makeObject(Arguments&&... arguments) {
    return Ref<T>::adopt(new T(std::forward<Arguments>(arguments)...));
}

}  // namespace vss_simulator
