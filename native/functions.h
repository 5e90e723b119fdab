/*
 * The functions that .NET implements, each with its parameters and arguments; all return a status. The table and the exports
 * are made from this list, and the compiler compares them with the header.
 */
#define TENSOR const sapa_tensor *
#define WINDOW const sapa_window_options *
#define CROSS const sapa_cross_options *

#define SAPA_FUNCTIONS(F) \
    F(device_open, (const char *id, const sapa_device_options *options, sapa_device *device), (id, options, device)) \
    F(device_on_stream, (sapa_device device, void *stream, sapa_device *on_stream), (device, stream, on_stream)) \
    F(device_close, (sapa_device device), (device)) \
    F(device_synchronize, (sapa_device device), (device)) \
    F(device_info, (sapa_device device, char *buffer, size_t capacity, size_t *length), (device, buffer, capacity, length)) \
    F(window_attention_forward, \
        (sapa_device device, TENSOR query, TENSOR key, TENSOR value, TENSOR output, TENSOR normaliser, WINDOW options), \
        (device, query, key, value, output, normaliser, options)) \
    F(window_attention_backward, \
        (sapa_device device, TENSOR query, TENSOR key, TENSOR value, TENSOR normaliser, TENSOR grad_output, \
            TENSOR grad_query, TENSOR grad_key, TENSOR grad_value, WINDOW options), \
        (device, query, key, value, normaliser, grad_output, grad_query, grad_key, grad_value, options)) \
    F(window_similarity_forward, \
        (sapa_device device, TENSOR query, TENSOR key, TENSOR scores, WINDOW options), (device, query, key, scores, options)) \
    F(window_similarity_backward, \
        (sapa_device device, TENSOR query, TENSOR key, TENSOR grad_scores, TENSOR grad_query, TENSOR grad_key, WINDOW options), \
        (device, query, key, grad_scores, grad_query, grad_key, options)) \
    F(window_weights_forward, \
        (sapa_device device, TENSOR scores, int32_t key_height, int32_t key_width, TENSOR weights, WINDOW options, \
            int32_t average), \
        (device, scores, key_height, key_width, weights, options, average)) \
    F(window_weights_backward, \
        (sapa_device device, TENSOR scores, int32_t key_height, int32_t key_width, TENSOR grad_weights, TENSOR grad_scores, \
            WINDOW options, int32_t average), \
        (device, scores, key_height, key_width, grad_weights, grad_scores, options, average)) \
    F(window_reassembly_forward, \
        (sapa_device device, TENSOR weights, TENSOR value, TENSOR output, WINDOW options), \
        (device, weights, value, output, options)) \
    F(window_reassembly_backward, \
        (sapa_device device, TENSOR weights, TENSOR value, TENSOR grad_output, TENSOR grad_weights, TENSOR grad_value, \
            WINDOW options), \
        (device, weights, value, grad_output, grad_weights, grad_value, options)) \
    F(deformable_attention_forward, \
        (sapa_device device, TENSOR query, TENSOR key, TENSOR value, TENSOR offsets, TENSOR output, \
            const sapa_deformable_options *options), \
        (device, query, key, value, offsets, output, options)) \
    F(deformable_attention_backward, \
        (sapa_device device, TENSOR query, TENSOR key, TENSOR value, TENSOR offsets, TENSOR grad_output, TENSOR grad_query, \
            TENSOR grad_key, TENSOR grad_value, TENSOR grad_offsets, const sapa_deformable_options *options), \
        (device, query, key, value, offsets, grad_output, grad_query, grad_key, grad_value, grad_offsets, options)) \
    F(ranges_create_window, \
        (int32_t height, int32_t width, int32_t output_height, int32_t output_width, int32_t window_height, \
            int32_t window_width, int32_t border, sapa_ranges *ranges), \
        (height, width, output_height, output_width, window_height, window_width, border, ranges)) \
    F(ranges_create_whole, \
        (int32_t height, int32_t width, int32_t output_height, int32_t output_width, sapa_ranges *ranges), \
        (height, width, output_height, output_width, ranges)) \
    F(ranges_create_ratio, \
        (int32_t height, int32_t width, int32_t output_height, int32_t output_width, float ratio, sapa_ranges *ranges), \
        (height, width, output_height, output_width, ratio, ranges)) \
    F(ranges_create_table, \
        (int32_t height, int32_t width, int32_t output_height, int32_t output_width, const int32_t *rows, \
            const int32_t *columns, sapa_ranges *ranges), \
        (height, width, output_height, output_width, rows, columns, ranges)) \
    F(ranges_close, (sapa_ranges ranges), (ranges)) \
    F(cross_attention_forward, \
        (sapa_device device, TENSOR query, TENSOR key, TENSOR value, TENSOR key_bias, sapa_ranges ranges, TENSOR output, \
            TENSOR statistics, CROSS options), \
        (device, query, key, value, key_bias, ranges, output, statistics, options)) \
    F(cross_attention_backward, \
        (sapa_device device, TENSOR query, TENSOR key, TENSOR value, TENSOR key_bias, sapa_ranges ranges, TENSOR statistics, \
            TENSOR grad_output, TENSOR grad_query, TENSOR grad_key, TENSOR grad_value, TENSOR grad_key_bias, CROSS options), \
        (device, query, key, value, key_bias, ranges, statistics, grad_output, grad_query, grad_key, grad_value, \
            grad_key_bias, options)) \
    F(cross_attention_double_backward, \
        (sapa_device device, TENSOR query, TENSOR key, TENSOR value, TENSOR key_bias, sapa_ranges ranges, TENSOR statistics, \
            TENSOR grad_output, TENSOR query_direction, TENSOR key_direction, TENSOR value_direction, \
            TENSOR key_bias_direction, TENSOR grad_grad_output, TENSOR grad_query, TENSOR grad_key, TENSOR grad_value, \
            TENSOR grad_key_bias, CROSS options), \
        (device, query, key, value, key_bias, ranges, statistics, grad_output, query_direction, key_direction, \
            value_direction, key_bias_direction, grad_grad_output, grad_query, grad_key, grad_value, grad_key_bias, options)) \
    F(interpolate_forward, \
        (sapa_device device, TENSOR input, TENSOR output, int32_t mode, int32_t align_corners), \
        (device, input, output, mode, align_corners)) \
    F(interpolate_backward, \
        (sapa_device device, TENSOR grad_output, TENSOR grad_input, int32_t mode, int32_t align_corners), \
        (device, grad_output, grad_input, mode, align_corners)) \
    F(projection_forward, \
        (sapa_device device, TENSOR input, TENSOR weight, TENSOR bias, TENSOR output), (device, input, weight, bias, output)) \
    F(projection_backward, \
        (sapa_device device, TENSOR input, TENSOR weight, TENSOR bias, TENSOR grad_output, TENSOR grad_input, \
            TENSOR grad_weight, TENSOR grad_bias), \
        (device, input, weight, bias, grad_output, grad_input, grad_weight, grad_bias)) \
    F(feature_norm_forward, \
        (sapa_device device, TENSOR input, int32_t groups, TENSOR weight, TENSOR bias, double epsilon, TENSOR output, \
            TENSOR statistics), \
        (device, input, groups, weight, bias, epsilon, output, statistics)) \
    F(feature_norm_backward, \
        (sapa_device device, TENSOR input, int32_t groups, TENSOR weight, TENSOR statistics, TENSOR grad_output, \
            TENSOR grad_input, TENSOR grad_weight, TENSOR grad_bias), \
        (device, input, groups, weight, statistics, grad_output, grad_input, grad_weight, grad_bias)) \
    F(upsampler_load, \
        (sapa_device device, const sapa_upsampler_options *options, const char *path, const char *prefix, sapa_module *module), \
        (device, options, path, prefix, module)) \
    F(deformable_upsampler_load, \
        (sapa_device device, const sapa_deformable_upsampler_options *options, const char *path, const char *prefix, \
            sapa_module *module), \
        (device, options, path, prefix, module)) \
    F(carafe_load, \
        (sapa_device device, const sapa_carafe_options *options, const char *path, const char *prefix, sapa_module *module), \
        (device, options, path, prefix, module)) \
    F(naf_load, \
        (sapa_device device, const sapa_naf_options *options, const char *path, const char *prefix, sapa_module *module), \
        (device, options, path, prefix, module)) \
    F(anyup_load, \
        (sapa_device device, const sapa_anyup_options *options, const char *path, const char *prefix, sapa_module *module), \
        (device, options, path, prefix, module)) \
    F(module_forward, (sapa_module module, TENSOR encoder, TENSOR decoder, TENSOR output), (module, encoder, decoder, output)) \
    F(module_backward, \
        (sapa_module module, TENSOR encoder, TENSOR decoder, TENSOR grad_output, TENSOR grad_encoder, TENSOR grad_decoder), \
        (module, encoder, decoder, grad_output, grad_encoder, grad_decoder)) \
    F(module_forward_on, \
        (sapa_module module, sapa_device device, TENSOR encoder, TENSOR decoder, TENSOR output), \
        (module, device, encoder, decoder, output)) \
    F(module_backward_on, \
        (sapa_module module, sapa_device device, TENSOR encoder, TENSOR decoder, TENSOR grad_output, TENSOR grad_encoder, \
            TENSOR grad_decoder), \
        (module, device, encoder, decoder, grad_output, grad_encoder, grad_decoder)) \
    F(module_close, (sapa_module module), (module)) \
    F(guided_upsample, \
        (sapa_device device, const sapa_image *photo, const sapa_image *map, const sapa_image *result, \
            const sapa_guided_options *options), \
        (device, photo, map, result, options))
