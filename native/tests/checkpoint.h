/* Parameters with random values, and the .safetensors file of them. */
#ifndef SAPA_TEST_CHECKPOINT_H
#define SAPA_TEST_CHECKPOINT_H

#include "test.h"

enum { MOST_PARAMETERS = 80, MOST_HEADER = 16384 };

static struct {
    char name[64];
    int64_t count, shape[2], kernel;
    double *values;
} parameters[MOST_PARAMETERS];
static int parameter_count;

/* Adds a convolution [rows, columns, kernel, kernel] of random values; returns them. A kernel of 0 is none. */
static inline double *add_convolution(const char *name, int64_t rows, int64_t columns, int64_t kernel)
{
    int64_t count = rows * (columns > 0 ? columns : 1) * (kernel > 0 ? kernel * kernel : 1);
    snprintf(parameters[parameter_count].name, sizeof parameters[0].name, "%s", name);
    parameters[parameter_count].count = count;
    parameters[parameter_count].shape[0] = rows;
    parameters[parameter_count].shape[1] = columns;
    parameters[parameter_count].kernel = kernel;
    double *values = parameters[parameter_count++].values = malloc((size_t)count * sizeof(double));
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)(random_number() / 2);
    return values;
}

/* Adds a matrix [rows, columns], or a vector if there are no columns, of random values; returns them. */
static inline const double *add_parameter(const char *name, int64_t rows, int64_t columns)
{
    return add_convolution(name, rows, columns, 0);
}

/* Writes the parameters as four-dimensional convolutions, or as linear layers, with a prefix, and forgets their names. */
static inline void write_parameters(const char *path, const char *prefix, int are_convolutions)
{
    static char header[MOST_HEADER];
    strcpy(header, "{");
    int64_t at = 0;
    for (int i = 0; i < parameter_count; i++) {
        int64_t size = parameters[i].count * (int64_t)sizeof(float);
        char shape[64];
        if (parameters[i].shape[1] == 0)
            snprintf(shape, sizeof shape, "%d", (int)parameters[i].shape[0]);
        else if (parameters[i].kernel > 0)
            snprintf(shape, sizeof shape, "%d,%d,%d,%d", (int)parameters[i].shape[0], (int)parameters[i].shape[1],
                (int)parameters[i].kernel, (int)parameters[i].kernel);
        else
            snprintf(shape, sizeof shape, "%d,%d%s", (int)parameters[i].shape[0], (int)parameters[i].shape[1],
                are_convolutions ? ",1,1" : "");
        size_t length = strlen(header);
        snprintf(header + length, sizeof header - length,
            "%s\"%s%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%d,%d]}", i > 0 ? "," : "", prefix,
            parameters[i].name, shape, (int)at, (int)(at + size));
        at += size;
    }
    strcat(header, "}");
    FILE *file = fopen(path, "wb");
    uint64_t length = strlen(header);
    fwrite(&length, sizeof length, 1, file);
    fwrite(header, 1, length, file);
    for (int i = 0; i < parameter_count; i++)
        for (int64_t j = 0; j < parameters[i].count; j++) {
            float value = (float)parameters[i].values[j];
            fwrite(&value, sizeof value, 1, file);
        }
    fclose(file);
}

static inline void forget_parameters(void)
{
    for (int i = 0; i < parameter_count; i++)
        free(parameters[i].values);
    parameter_count = 0;
}

#endif
