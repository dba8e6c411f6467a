#include <cstdio>
#include <exception>
#include <iostream>
#include <utility>
INCLUDES

using list = std::vector<MATRIX>;

static list read_all(const char* path)
{
    list found;
    std::FILE* file = std::fopen(path, "rb");
    double size[2];
    while (file != nullptr && std::fread(size, sizeof(double), 2, file) == 2) {
        MATRIX x(static_cast<long>(size[0]), static_cast<long>(size[1]));
        for (long j = 0; j < size[1]; j++)
            for (long i = 0; i < size[0]; i++)
                if (std::fread(&x(i, j), sizeof(double), 1, file) != 1)
                    return found;
        found.push_back(x);
    }
    std::fclose(file);
    return found;
}

static void keep(list& y, const MATRIX& x) { y.push_back(x); }

static void keep(list& y, double x)
{
    MATRIX one(1, 1);
    one(0, 0) = x;
    y.push_back(one);
}

template <class M> auto size_of(const M& x) -> decltype(x.rows(), std::pair<long, long>())
{
    return {x.rows(), x.cols()};
}

template <class M> auto size_of(const M& x) -> decltype(x.n_rows, std::pair<long, long>())
{
    return {x.n_rows, x.n_cols};
}

static void write_all(const char* path, const list& y)
{
    std::FILE* file = std::fopen(path, "wb");
    for (const auto& x : y) {
        const auto shape = size_of(x);
        const long m = shape.first, n = shape.second;
        const double size[2] = {double(m), double(n)};
        std::fwrite(size, sizeof(double), 2, file);
        for (long j = 0; j < n; j++)
            for (long i = 0; i < m; i++)
                std::fwrite(&x(i, j), sizeof(double), 1, file);
    }
    std::fclose(file);
}

static void call(int number, const list& x, list& y)
{
    switch (number) {
CASES
    }
}

int main()
{
    int number;
    while (std::cin >> number) {
        try {
            list y;
            call(number, read_all("in.bin"), y);
            write_all("out.bin", y);
            std::cout << "done" << std::endl;
        } catch (const std::exception& problem) {
            std::cout << "error " << problem.what() << std::endl;
        }
    }
}
