#include <onnxruntime_cxx_api.h>
#include <iostream>

int main(int count, char **arguments)
{
    Ort::Env environment;
    Ort::SessionOptions options;
    options.RegisterCustomOpsLibrary("libsapagpu.so");
    Ort::Session session(environment, arguments[count - 1], options);
    std::cout << session.GetInputCount() << " inputs\n";
}
