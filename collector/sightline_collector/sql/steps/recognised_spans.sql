-- Grain: one span of any dialect. Finds the attributes that mean something: `meaning` holds, for each
-- column that the dialects name, the text of the first of its keys that says something; `scope_shows` and
-- `name_shows` are the keys under which its scope and its name are known, '' or unknown when they are not.
-- `all_keys`, `all_texts` and `all_ranks` are parallel: first the attributes, as many as there are places,
-- then the members.
-- The members of attributes of JSON are looked up too, on spans that have one; those of what a client
-- returned, as JSON, where the span tells tokens or is a model's, for what is around a call may return the
-- same, and what a model wrote is no bill. All keys are sorted by their ranks, which are places, the unknown
-- last, and with them those that say nothing: that costs less than to take out the known.
-- Reads: conversed_spans, dialects. Readers: mapped_spans.
select
    * except (keys, texts, said, surest, tells_tokens, is_anthropics_own),
    cast(
        (arrayMap(place -> toUInt8(bitAnd(bitShiftRight(place, 7), 127)), said.3), said.2)
        as Map({type:span_meaning}, String)) as meaning,
    said.1[indexOf(
        cast(mapKeys(meaning) as Array(UInt8)), toUInt8(cast('input' as {type:span_meaning})))]
        as input_key,
    said.1[indexOf(
        cast(mapKeys(meaning) as Array(UInt8)), toUInt8(cast('output' as {type:span_meaning})))]
        as output_key,
    -- Anthropic's own usage object counts its cache beside its input; OpenAI's has other keys for the cache.
    if(
        meaning['input_beside_cache'] != '', meaning['input_beside_cache'],
        if(is_anthropics_own, sightline_given('gen_ai.usage.raw.input_tokens', said.3, said.2), ''))
        as input_beside_cache,
    dictGet('{database}.dialects', 'dialect', cityHash64(surest)) as dialect
from (
    select
        * except (
            added_keys, added_texts, members, own_ranks, ranks, member_ranks, outermost, scope_place),
        arrayConcat(keys, added_keys, members.1) as all_keys,
        arrayConcat(texts, added_texts, members.2) as all_texts,
        arrayConcat(ranks, member_ranks) as all_ranks,
        -- Of equal ones the first: the order of what is equal would be the engine's whim.
        arraySort(
            (each, rank, nth) -> bitOr(bitShiftLeft(toUInt64(bitAnd(rank, 127)), 32), nth),
            arrayZip(all_keys, all_texts, all_ranks), all_ranks, arrayEnumerate(all_ranks)) as said,
        multiIf(
            notEmpty(ranks) and arrayMin(ranks) < least(scope_place, 8355840),
                all_keys[indexOf(ranks, arrayMin(ranks))],
            scope_place < 8355840, scope_shows,
            name_shows) as surest
    from (
        select
            *,
            arrayMap(
                (text, place) -> bitOr(place, 127 * sightline_says_none(text)),
                members.2, members.3) as member_ranks,
            arrayConcat(own_ranks, arrayMap(
                (place, text) -> bitOr(place, 127 * sightline_says_none(text)),
                arraySlice(places, length(keys) + 1), added_texts)) as ranks,
            greatest(
                has(places, sightline_place('gen_ai.usage.raw.cache_read_input_tokens')),
                has(places, sightline_place('gen_ai.usage.raw.cache_creation_input_tokens')),
                has(members.1, 'gen_ai.usage.raw.cache_read_input_tokens'),
                has(members.1, 'gen_ai.usage.raw.cache_creation_input_tokens')) as is_anthropics_own,
            -- LangChain tells the tier that answered by the names of what it counts.
            arrayMap(
                names -> if(position(names, '_details.') = 0, '', extract(
                    names, '(?:token|usage)_details\\.(?:input_|output_)?(flex|priority)')),
                [arrayStringConcat(members.1, ' ')])[1] as tier_of_tokens,
            sightline_place(scope_shows) as scope_place
        from (
            select
                *,
                arrayFirst(k -> dictHas('{database}.dialects', cityHash64(k)), [
                    concat('scope=', scope_name), concat('scope=', substringIndex(scope_name, '.', 3)),
                    concat('scope=', substringIndex(scope_name, '.', 1))]) as scope_shows,
                concat('name=', if(countSubstrings(name, ' ') = 1,
                    concat(substringIndex(name, ' ', 1), ' *'), substringIndex(name, '.', 1))) as name_shows,
                sightline_unfolded(outermost) as members
            from (
                select
                    *,
                    sightline_members(arrayMap(
                        each -> (each.1, sightline_json_whole(each.2), each.3),
                        arrayFilter(
                            each -> each.1 not in ('output.value', 'mlflow.spanOutputs')
                                or tells_tokens and (each.1 != 'output.value' or returned_json)
                                    and sightline_tells_usage(each.2),
                            arrayFilter(
                                each -> bitAnd(each.3, 16384) != 0,
                                arrayZip(keys, texts, own_ranks))))) as outermost
                from (
                    select
                        *,
                        arrayMap(
                            (place, text) -> bitOr(place, 127 * sightline_says_none(text)),
                            arrayResize(places, length(keys)), texts) as own_ranks,
                        -- The greatest: an `or` is lazy, and would copy what its later parts look into.
                        greatest(
                            has(places, sightline_place('llm.token_count.prompt')),
                            has(places, sightline_place('llm.token_count.completion')),
                            sightline_given('openinference.span.kind', places, texts) = 'LLM',
                            has(keys, 'mlflow.chat.tokenUsage')) as tells_tokens,
                        -- What a model wrote is text, and may look like an answer with its usage.
                        texts[indexOf(keys, 'output.mime_type')] = 'application/json' as returned_json
                    from conversed_spans)))))
